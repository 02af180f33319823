import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import type { Connection, ConnectionOptions } from 'mysql2'
import type { ServerAddress } from '../server/server-url.ts'
import { checkGrants } from './check-grants.ts'
import { toMySqlOpenError } from './mysql-failure.ts'
import { MySqlSession } from './mysql-session.ts'

const connectTimeoutMs = 5000
const cancelTimeoutMs = 2000

/** Everything a login needs. */
export interface MySqlLogin {
  readonly alias: string
  readonly address: ServerAddress
  /** False: without TLS. It is never left out because a server does not offer it. */
  readonly tls: TlsOptions | false
  readonly mode: 'read' | 'write'
  readonly rowsMax: number
  readonly statementTimeoutMs: number
  readonly lockTimeoutMs: number
  /** Whether a user who reaches beyond the database is accepted. */
  readonly allowAdminRole: boolean
}

/** Logs in, and refuses a user who may do more than the config allows. Rejects with DATABASE_UNAVAILABLE. */
export async function openMySqlSession(login: MySqlLogin, signal: AbortSignal): Promise<MySqlSession> {
  const { default: mysql } = await import('mysql2')
  if (signal.aborted) throw signal.reason
  const connection = mysql.createConnection(configure(login))
  const stop = () => connection.destroy()
  signal.addEventListener('abort', stop, { once: true })
  try {
    await connected(connection, signal)
    const session = new MySqlSession(connection, {
      transactionId: randomBytes(16).toString('hex'),
      cancel: () => cancelRunning(mysql.createConnection, connection, login),
      toInteger: (value) => mysql.TypedParameter.LONGLONG(value),
    })
    try {
      if (!login.allowAdminRole) {
        await checkGrants(session, login.alias, login.address.user)
        await session.reset()
      }
      await settle(session, login)
      return session
    } catch (thrown) {
      await session.end()
      throw thrown
    }
  } catch (thrown) {
    connection.destroy()
    throw toMySqlOpenError(thrown, login.alias)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Brings a session that was used back to how it was, or gives it up. */
export async function renew(session: MySqlSession, login: MySqlLogin): Promise<void> {
  if (!session.isUsable) return
  try {
    await session.reset()
    await settle(session, login)
  } catch {
    session.abandon()
  }
}

function configure({ address, tls }: MySqlLogin): ConnectionOptions {
  const { host, port, user, password = '', database } = address
  const isSocket = host.startsWith('/')
  const serverName = tls === false ? undefined : tls.servername
  return {
    ...(isSocket ? { socketPath: host } : { host: serverName ?? host, port }),
    ...(serverName === undefined ? {} : { stream: () => connect(port, host) }),
    user,
    password,
    database,
    ...(tls === false ? {} : { ssl: renderTls(tls) }),
    // The server may otherwise ask for any file of this machine.
    flags: ['-LOCAL_FILES'],
    multipleStatements: false,
    charset: 'utf8mb4',
    timezone: 'Z',
    dateStrings: true,
    jsonStrings: true,
    supportBigNumbers: true,
    rowsAsArray: true,
    enableKeepAlive: true,
    connectTimeout: connectTimeoutMs,
  }
}

function renderTls({ ca, cert, key }: TlsOptions) {
  return {
    rejectUnauthorized: true,
    verifyIdentity: true,
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca: ca as string }),
    ...(cert === undefined ? {} : { cert: cert as string }),
    ...(key === undefined ? {} : { key: key as string }),
  }
}

/** The settings of a session, which a reset puts back to the server's own. */
async function settle(session: MySqlSession, login: MySqlLogin): Promise<void> {
  const lockSeconds = Math.max(1, Math.round(login.lockTimeoutMs / 1000))
  await session.run(`SET NAMES utf8mb4, SESSION time_zone = '+00:00', SESSION sql_select_limit = ${login.rowsMax + 1},
    SESSION sql_mode = REPLACE(@@sql_mode, 'NO_BACKSLASH_ESCAPES', ''), SESSION autocommit = 1,
    SESSION innodb_lock_wait_timeout = ${lockSeconds}, SESSION lock_wait_timeout = ${lockSeconds},
    ${timeoutSetting(session, login.statementTimeoutMs)}`)
  await session.run(`SET SESSION TRANSACTION READ ${login.mode === 'read' ? 'ONLY' : 'WRITE'}`)
}

/** MariaDB stops every statement, MySQL those that read; Weir itself stops the others. */
function timeoutSetting(session: MySqlSession, timeoutMs: number): string {
  return session.isMariaDb
    ? `SESSION max_statement_time = ${timeoutMs / 1000}`
    : `SESSION max_execution_time = ${timeoutMs}`
}

function connected(connection: Connection, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new Error('Weir is stopping.'))
    signal.addEventListener('abort', stop, { once: true })
    connection.on('error', reject)
    connection.connect((error) => {
      signal.removeEventListener('abort', stop)
      if (error === null) resolve()
      else reject(error)
    })
  })
}

/** Asks the server over a connection of its own. Resolves when it was asked, or could not be. */
function cancelRunning(
  createConnection: (options: ConnectionOptions) => Connection,
  running: Connection,
  login: MySqlLogin,
): Promise<void> {
  const connection = createConnection({ ...configure(login), connectTimeout: cancelTimeoutMs })
  return new Promise((resolve) => {
    const done = () => {
      connection.destroy()
      resolve()
    }
    connection.on('error', done)
    connection.query(`KILL QUERY ${running.threadId}`, done)
  })
}
