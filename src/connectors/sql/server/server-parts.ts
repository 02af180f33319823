import type { ConnectionOptions } from 'node:tls'
import { systemClock } from '../../../core/clock.ts'
import type { DatabaseConfig } from '../dialect.ts'
import { splitPool } from './pool-size.ts'
import { parseServerUrl, type ServerAddress, type UrlRules } from './server-url.ts'
import { type Session, SessionPool } from './session-pool.ts'
import { createTlsOptions } from './tls-options.ts'

const lockTimeoutMsMax = 5000

/** What every session of a database logs in with. */
export interface ServerLogin {
  readonly alias: string
  readonly address: ServerAddress
  readonly tls: ConnectionOptions | false
  readonly statementTimeoutMs: number
  readonly lockTimeoutMs: number
  readonly allowAdminRole: boolean
}

/** What a database at a server is built from, whatever the server. */
export interface ServerParts<S extends Session> {
  readonly alias: string
  readonly rowsMax: number
  readonly statementTimeoutMs: number
  readonly readers: SessionPool<S>
  /** How many readers may stay open between calls: each holds a session. */
  readonly openReadersMax: number
  /** Absent where writing is not allowed. */
  readonly writers: SessionPool<S> | undefined
}

/** Takes from the config what a login needs. Nobody logs in yet. */
export function createLogin(alias: string, config: DatabaseConfig, rules: UrlRules): ServerLogin {
  const { url, tls, statementTimeoutMs, allowAdminRole } = config
  const address = parseServerUrl(url, rules)
  return {
    alias,
    address,
    tls: createTlsOptions(tls, address.options.get('sslmode'), address.host),
    statementTimeoutMs,
    lockTimeoutMs: Math.min(lockTimeoutMsMax, Math.ceil(statementTimeoutMs / 2)),
    allowAdminRole,
  }
}

/** Pools for reading and writing, whose sessions are opened when they are needed. */
export function createServerParts<S extends Session>(
  alias: string,
  { write, rowsMax, statementTimeoutMs, pool }: DatabaseConfig,
  open: (mode: 'read' | 'write', signal: AbortSignal) => Promise<S>,
): ServerParts<S> {
  const { readers, writers } = splitPool(pool, write)
  const createPool = (mode: 'read' | 'write', bounds: typeof readers) =>
    new SessionPool<S>({
      ...bounds,
      alias,
      idleMs: pool.idleMs,
      clock: systemClock,
      open: (signal) => open(mode, signal),
    })
  return {
    alias,
    rowsMax,
    statementTimeoutMs,
    readers: createPool('read', readers),
    openReadersMax: Math.max(1, Math.floor(readers.max / 2)),
    writers: write ? createPool('write', writers) : undefined,
  }
}
