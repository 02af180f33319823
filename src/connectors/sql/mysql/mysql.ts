import { systemClock } from '../../../core/clock.ts'
import type { DatabaseConfig, Dialect } from '../dialect.ts'
import { splitPool } from '../server/pool-size.ts'
import { parseServerUrl, problemOfServerUrl, type UrlRules } from '../server/server-url.ts'
import { SessionPool } from '../server/session-pool.ts'
import { createTlsOptions } from '../server/tls-options.ts'
import { MySqlDatabase } from './mysql-database.ts'
import { openMySqlSession, renew } from './open-mysql-session.ts'

const urlRules: UrlRules = {
  defaultPort: 3306,
  options: new Map([['sslmode', ['disable', 'require', 'verify-ca', 'verify-full']]]),
}
const lockTimeoutMsMax = 5000

/** MariaDB and MySQL, reached over sessions that are opened when they are needed. */
export const mysqlDialect: Dialect = {
  title: 'MySQL',
  schemes: ['mysql', 'mariadb'],
  options: ['pool', 'tls', 'allowAdminRole', 'isolation'],
  hasArrays: false,
  problemOf: (url) => problemOfServerUrl(url, urlRules),
  open: createMySqlDatabase,
}

function createMySqlDatabase(alias: string, config: DatabaseConfig): MySqlDatabase {
  const { url, write, rowsMax, statementTimeoutMs, pool, tls, allowAdminRole } = config
  const address = parseServerUrl(url, urlRules)
  const login = {
    alias,
    address,
    tls: createTlsOptions(tls, address.options.get('sslmode'), address.host),
    rowsMax,
    statementTimeoutMs,
    lockTimeoutMs: Math.min(lockTimeoutMsMax, Math.ceil(statementTimeoutMs / 2)),
    allowAdminRole,
  }
  const { readers, writers } = splitPool(pool, write)
  const createPool = (mode: 'read' | 'write', bounds: typeof readers) =>
    new SessionPool({
      ...bounds,
      alias,
      idleMs: pool.idleMs,
      clock: systemClock,
      open: (signal) => openMySqlSession({ ...login, mode }, signal),
    })
  return new MySqlDatabase({
    alias,
    rowsMax,
    statementTimeoutMs,
    readers: createPool('read', readers),
    openReadersMax: Math.max(1, Math.floor(readers.max / 2)),
    writers: write ? createPool('write', writers) : undefined,
    renew: (session, mode) => renew(session, { ...login, mode }),
  })
}
