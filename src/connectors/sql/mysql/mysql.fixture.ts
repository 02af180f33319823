import { randomBytes } from 'node:crypto'
import mysql, { type Connection } from 'mysql2/promise'
import type { Database, DatabaseConfig } from '../dialect.ts'
import { mysqlDialect } from './mysql.ts'

/** For tests: a database of its own, with a user who may do everything in it and nothing beyond. */
export interface MySqlSandbox {
  /** The user's name and the database's. */
  readonly name: string
  /** As the user, over the server's own port or a relay's. */
  url(port?: number): string
  readonly adminUrl: string
  readonly admin: Connection
  open(config?: Partial<DatabaseConfig>): Database
  dispose(): Promise<void>
}

/** Runs `setup` in the new database; statements end with a semicolon. */
export async function createMySqlSandbox(url: string, setup: string): Promise<MySqlSandbox> {
  const name = `weir_test_${randomBytes(5).toString('hex')}`
  const at = (user: string, port?: number) => {
    const parsed = new URL(url)
    parsed.protocol = 'mysql:'
    parsed.username = user
    parsed.pathname = `/${name}`
    if (port !== undefined) parsed.port = String(port)
    return parsed.href
  }
  const { hostname, port, username, password } = new URL(url)
  const admin = await mysql.createConnection({
    host: hostname,
    port: Number(port),
    user: username,
    password,
    multipleStatements: true,
  })
  await admin.query(
    `create database ${name}; create user ${name}; grant all on ${name}.* to ${name}; use ${name}`,
  )
  if (setup !== '') await admin.query(setup)
  const open: Database[] = []
  return {
    name,
    url: (relayPort) => at(name, relayPort),
    adminUrl: at(username),
    admin,
    open(config = {}) {
      const database = mysqlDialect.open('main', { ...defaults, url: at(name), ...config }, '/')
      open.push(database)
      return database
    },
    async dispose() {
      await Promise.all(open.map((database) => database.close()))
      await admin.query(`drop database ${name}; drop user ${name}`)
      await admin.end()
    },
  }
}

const defaults: DatabaseConfig = {
  url: '',
  write: true,
  rowsMax: 1000,
  statementTimeoutMs: 10_000,
  readers: 2,
  pool: { min: 5, max: 20, idleMs: 300_000 },
  allowAdminRole: false,
}
