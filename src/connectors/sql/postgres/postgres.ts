import type { DatabaseConfig, Dialect } from '../dialect.ts'
import { createLogin, createServerParts } from '../server/server-parts.ts'
import { problemOfServerUrl, type UrlRules } from '../server/server-url.ts'
import { openPgSession } from './open-pg-session.ts'
import { PostgresDatabase } from './postgres-database.ts'
import { TypeCatalogue } from './type-catalogue.ts'

const urlRules: UrlRules = {
  defaultPort: 5432,
  options: new Map([
    ['sslmode', ['disable', 'require', 'verify-ca', 'verify-full']],
    ['application_name', undefined],
  ]),
}

/** PostgreSQL, reached over sessions that are opened when they are needed. */
export const postgresDialect: Dialect = {
  title: 'PostgreSQL',
  system: 'postgresql',
  schemes: ['postgres', 'postgresql'],
  options: ['pool', 'tls', 'allowAdminRole', 'isolation'],
  hasArrays: true,
  problemOf: (url) => problemOfServerUrl(url, urlRules),
  open: createPostgresDatabase,
}

function createPostgresDatabase(alias: string, config: DatabaseConfig): PostgresDatabase {
  const login = { ...createLogin(alias, config, urlRules), types: new TypeCatalogue() }
  return new PostgresDatabase(
    createServerParts(alias, config, (mode, signal) => openPgSession({ ...login, mode }, signal)),
  )
}
