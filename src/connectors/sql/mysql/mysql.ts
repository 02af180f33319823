import type { DatabaseConfig, Dialect } from '../dialect.ts'
import { createLogin, createServerParts } from '../server/server-parts.ts'
import { problemOfServerUrl, type UrlRules } from '../server/server-url.ts'
import { MySqlDatabase } from './mysql-database.ts'
import { openMySqlSession, renew } from './open-mysql-session.ts'

const urlRules: UrlRules = {
  defaultPort: 3306,
  options: new Map([['sslmode', ['disable', 'require', 'verify-ca', 'verify-full']]]),
}

/** MariaDB and MySQL, reached over sessions that are opened when they are needed. */
export const mysqlDialect: Dialect = {
  title: 'MySQL',
  system: 'mysql',
  schemes: ['mysql', 'mariadb'],
  options: ['pool', 'tls', 'allowAdminRole', 'isolation'],
  hasArrays: false,
  problemOf: (url) => problemOfServerUrl(url, urlRules),
  open: createMySqlDatabase,
}

function createMySqlDatabase(alias: string, config: DatabaseConfig): MySqlDatabase {
  const login = { ...createLogin(alias, config, urlRules), rowsMax: config.rowsMax }
  return new MySqlDatabase({
    ...createServerParts(alias, config, (mode, signal) => openMySqlSession({ ...login, mode }, signal)),
    renew: (session, mode) => renew(session, { ...login, mode }),
  })
}
