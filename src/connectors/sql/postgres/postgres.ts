import { systemClock } from '../../../core/clock.ts'
import type { DatabaseConfig, Dialect } from '../dialect.ts'
import { splitPool } from '../server/pool-size.ts'
import { parseServerUrl, problemOfServerUrl, type UrlRules } from '../server/server-url.ts'
import { SessionPool } from '../server/session-pool.ts'
import { createTlsOptions } from '../server/tls-options.ts'
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
const lockTimeoutMsMax = 5000

/** PostgreSQL, reached over sessions that are opened when they are needed. */
export const postgresDialect: Dialect = {
  title: 'PostgreSQL',
  schemes: ['postgres', 'postgresql'],
  options: ['pool', 'tls', 'allowAdminRole', 'isolation'],
  hasArrays: true,
  problemOf: (url) => problemOfServerUrl(url, urlRules),
  open: createPostgresDatabase,
}

function createPostgresDatabase(alias: string, config: DatabaseConfig): PostgresDatabase {
  const { url, write, rowsMax, statementTimeoutMs, pool, tls, allowAdminRole } = config
  const address = parseServerUrl(url, urlRules)
  const login = {
    alias,
    address,
    tls: createTlsOptions(tls, address.options.get('sslmode'), address.host),
    statementTimeoutMs,
    lockTimeoutMs: Math.min(lockTimeoutMsMax, Math.ceil(statementTimeoutMs / 2)),
    allowAdminRole,
    types: new TypeCatalogue(),
  }
  const { readers, writers } = splitPool(pool, write)
  const createPool = (mode: 'read' | 'write', bounds: typeof readers) =>
    new SessionPool({
      ...bounds,
      alias,
      idleMs: pool.idleMs,
      clock: systemClock,
      open: (signal) => openPgSession({ ...login, mode }, signal),
    })
  return new PostgresDatabase({
    alias,
    rowsMax,
    statementTimeoutMs,
    readers: createPool('read', readers),
    openReadersMax: Math.max(1, Math.floor(readers.max / 2)),
    writers: write ? createPool('write', writers) : undefined,
  })
}
