import type { Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { Client, Connection } from 'pg'
import { systemClock } from '../../../core/clock.ts'
import type { ServerAddress } from '../server/server-url.ts'
import { checkRights, rightsQuery } from './check-rights.ts'
import { toOpenError } from './pg-failure.ts'
import { PgSession } from './pg-session.ts'
import type { TypeCatalogue } from './type-catalogue.ts'
import type { Wire } from './wire.ts'

const connectTimeoutMs = 5000
const cancelTimeoutMs = 2000

/** Statements of our own, prepared at login: what a read is wrapped in. */
export const ownStatements = {
  beginRead: 'weir_begin_read',
  rollback: 'weir_rollback',
  unlock: 'weir_unlock',
} as const

/** Everything a login needs. */
export interface PgLogin {
  readonly alias: string
  readonly address: ServerAddress
  /** False: without TLS. It is never left out because a server does not offer it. */
  readonly tls: ConnectionOptions | false
  readonly mode: 'read' | 'write'
  readonly statementTimeoutMs: number
  readonly lockTimeoutMs: number
  /** Whether a role that reaches beyond its database is accepted. */
  readonly allowAdminRole: boolean
  readonly types: TypeCatalogue
}

/** Logs in, and refuses a role that may do more than the config allows. Rejects with DATABASE_UNAVAILABLE. */
export async function openPgSession(login: PgLogin, signal: AbortSignal): Promise<PgSession> {
  const { default: pg } = await import('pg')
  const client = new pg.Client(configure(login))
  const ignore = () => {}
  const stop = () => (client.connection.stream as Socket).destroy(new Error('Weir is stopping.'))
  client.on('error', ignore)
  signal.addEventListener('abort', stop, { once: true })
  try {
    signal.throwIfAborted()
    await client.connect()
    const session = new PgSession(client, login.types, () => cancelRunning(pg.Connection, client, login))
    try {
      await setUp(session, login)
      return session
    } catch (thrown) {
      await session.end()
      throw thrown
    }
  } catch (thrown) {
    await client.end().catch(ignore)
    throw toOpenError(thrown, login.alias)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Everything is said, because the driver takes what is not from the environment of the process. */
function configure(login: PgLogin) {
  const { host, port, user, password, database } = login.address
  return {
    host,
    port,
    user,
    database,
    password: () => {
      if (password !== undefined) return password
      throw new Error('the server asks for a password, and the url has none')
    },
    ssl: login.tls,
    sslnegotiation: 'postgres' as const,
    enableChannelBinding: login.tls !== false,
    application_name: login.address.options.get('application_name') ?? 'weir',
    options: renderSettings(login),
    keepAlive: true,
    connectionTimeoutMillis: connectTimeoutMs,
  }
}

/**
 * Settings as part of the login: `RESET` goes back to these, and values come in one form whatever the server's own
 * defaults are.
 */
function renderSettings({ mode, statementTimeoutMs, lockTimeoutMs }: PgLogin): string {
  const settings = {
    default_transaction_read_only: mode === 'read' ? 'on' : 'off',
    statement_timeout: statementTimeoutMs,
    lock_timeout: lockTimeoutMs,
    TimeZone: 'UTC',
    DateStyle: 'ISO',
    IntervalStyle: 'iso_8601',
    bytea_output: 'hex',
    extra_float_digits: 1,
    standard_conforming_strings: 'on',
  }
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ')
}

async function setUp(session: PgSession, login: PgLogin): Promise<void> {
  const excess: string[] = []
  await session.exchange(
    (wire) => {
      wire.parse({ name: '', text: rightsQuery })
      wire.bind({ statement: '' })
      wire.execute()
      wire.parse({ name: ownStatements.beginRead, text: 'BEGIN READ ONLY' })
      wire.parse({ name: ownStatements.rollback, text: 'ROLLBACK' })
      wire.parse({ name: ownStatements.unlock, text: 'SELECT pg_catalog.pg_advisory_unlock_all()' })
    },
    (_step, [right]) => excess.push(right!),
  )
  if (!login.allowAdminRole) checkRights(login.alias, login.address.user, excess)
}

interface CancelConnection extends Wire {
  connect(port: number, host: string): void
  requestSsl(): void
  cancel(processId: number, secretKey: number): void
  end(): void
}

/** Asks the server over a connection of its own, encrypted like the first. Resolves when it was asked, or could not be. */
function cancelRunning(
  ConnectionClass: typeof Connection,
  client: Client,
  { address, tls }: PgLogin,
): Promise<void> {
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number }
  const connection = new ConnectionClass({ ssl: tls }) as unknown as CancelConnection
  return new Promise((resolve) => {
    const timer = systemClock.setTimer(() => connection.stream.destroy(), cancelTimeoutMs)
    const ask = () => connection.cancel(processID, secretKey)
    connection.on('connect', () => (tls === false ? ask() : connection.requestSsl()))
    connection.on('sslconnect', ask)
    connection.on('error', () => connection.stream.destroy())
    // The server closes the connection once it has passed the request on.
    connection.on('end', () => {
      timer.cancel()
      resolve()
    })
    connection.connect(address.port, address.host)
  })
}
