import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import type { Database, DatabaseConfig } from '../dialect.ts'
import { postgresDialect } from './postgres.ts'

/** For tests: a database of its own, with a role that owns it and may do nothing beyond. */
export interface PgSandbox {
  /** The role's name and the database's. */
  readonly name: string
  /** As the role, over the server's own port or a relay's. */
  url(port?: number): string
  /** As the superuser that made it. */
  readonly adminUrl: string
  readonly admin: Client
  open(config?: Partial<DatabaseConfig>): Database
  dispose(): Promise<void>
}

/** Runs `setup` as the role that owns the new database. */
export async function createPgSandbox(url: string, setup: string): Promise<PgSandbox> {
  const name = `weir_test_${randomBytes(5).toString('hex')}`
  const at = (user: string, port?: number) => {
    const parsed = new URL(url)
    parsed.username = user
    parsed.pathname = `/${name}`
    if (port !== undefined) parsed.port = String(port)
    return parsed.href
  }
  await runAs(url, `create role ${name} login`, `create database ${name} owner ${name}`)
  const admin = new Client(at(new URL(url).username))
  await admin.connect()
  await runAs(at(name), ...(setup === '' ? [] : [setup]))
  const open: Database[] = []
  return {
    name,
    url: (port) => at(name, port),
    adminUrl: at(new URL(url).username),
    admin,
    open(config = {}) {
      const database = postgresDialect.open('main', { ...defaults, url: at(name), ...config }, '/')
      open.push(database)
      return database
    },
    async dispose() {
      await Promise.all(open.map((database) => database.close()))
      await admin.end()
      await runAs(
        url,
        `drop database if exists ${name} with (force)`,
        `drop owned by ${name}`,
        `drop role ${name}`,
      )
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

async function runAs(url: string, ...statements: string[]): Promise<void> {
  const client = new Client(url)
  await client.connect()
  for (const statement of statements) await client.query(statement)
  await client.end()
}
