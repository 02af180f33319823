import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toJsonSchema } from '../../core/schema.ts'
import { describeConnector } from '../../testing/describe-connector.ts'
import { changeFile, openTestConnection, sql, type TestConnection } from './open-test-connection.fixture.ts'

const runaway = 'with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c'

describe('promises', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'weir-sql-'))
    changeFile(join(folder, 'main.db'), 'create table t(id integer primary key)')
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const one = (database: object) => ({ databases: { main: database } })

  describeConnector(sql, {
    config: () => one({ url: 'sqlite:./main.db', write: true }),
    deadConfig: () => one({ url: 'sqlite:./canary-7.db' }),
    secret: 'canary-7',
    baseDir: () => folder,
    slowCall: { tool: 'execute_query', input: { query: runaway, database: 'main' } },
    badConfigs: [
      { config: {}, field: 'databases' },
      { config: { databases: {} }, field: 'databases' },
      { config: { databases: { 'no spaces': { url: 'sqlite:x.db' } } }, field: 'databases.no spaces' },
      { config: one({}), field: 'databases.main.url' },
      { config: one({ url: './main.db' }), field: 'databases.main.url' },
      { config: one({ url: 'oracle://ada:canary-7@db/x' }), field: 'databases.main.url' },
      { config: one({ url: 'sqlite:' }), field: 'databases.main.url' },
      { config: one({ url: 'sqlite::memory:' }), field: 'databases.main.url' },
      { config: one({ url: 'sqlite://relative.db' }), field: 'databases.main.url' },
      { config: one({ url: 'sqlite:./x.db?mode=rwc' }), field: 'databases.main.url' },
      { config: one({ url: 'sqlite:x.db', wriet: true }), field: 'databases.main.wriet' },
      { config: one({ url: 'sqlite:x.db', rowsMax: 0 }), field: 'databases.main.rowsMax' },
      { config: one({ url: 'sqlite:x.db', pool: { max: 3 } }), field: 'databases.main.pool' },
      { config: one({ url: 'sqlite:x.db', tls: true }), field: 'databases.main.tls' },
      { config: one({ url: 'sqlite:x.db', isolation: 'SERIALIZABLE' }), field: 'databases.main.isolation' },
      { config: one({ url: 'sqlite:x.db', allowAdminRole: true }), field: 'databases.main.allowAdminRole' },
      { config: one({ url: 'postgres://ada@db/x', readers: 3 }), field: 'databases.main.readers' },
      { config: one({ url: 'mysql://ada@db/x', readers: 3 }), field: 'databases.main.readers' },
    ],
  })

  it('names the schemes that are supported', () => {
    expect(() => sql.config.parse(one({ url: 'oracle://ada:canary-7@db/x' }))).toThrow(
      /no driver for oracle; supported: sqlite:, postgres:, postgresql:/,
    )
  })

  it('C-09, D1-013, D1-014: what a database leaves out is filled in for its own kind', () => {
    const config = { databases: { file: { url: 'sqlite:x.db' }, server: { url: 'postgres://ada@db/x' } } }
    const { databases } = sql.config.parse(config) as { databases: Record<string, object> }
    expect(databases['file']).toMatchObject({ readers: 2 })
    expect(databases['server']).toMatchObject({
      pool: { min: 5, max: 20, idleMs: 300_000 },
      allowAdminRole: false,
    })
    expect(() => sql.config.parse(one({ url: 'sqlite:x.db', pool: {} }))).toThrow(
      /SQLite has no use for it; its own options are `readers`/,
    )
  })

  it('D1-093: a query is at most 5000 characters, and 1000 rows are answered by default', () => {
    const { databases } = sql.config.parse(one({ url: 'sqlite:x.db' })) as unknown as {
      databases: { main: object }
    }
    expect(databases.main).toMatchObject({ rowsMax: 1000, write: false })
  })
})

let test: TestConnection
beforeAll(async () => {
  test = await openTestConnection('', { main: { url: 'sqlite:./main.db', write: true } })
})
afterAll(() => test.dispose())

it('offers execute_transaction only where a database may be written, and reads as reads', async () => {
  const names = () => test.connection.targets().map(({ name, effect }) => [name, effect])
  expect(names()).toEqual([
    ['execute_query', 'read'],
    ['execute_transaction', 'destructive'],
    ['get_schema', 'read'],
    ['execute_parallel_queries', 'read'],
    ['fetch_rows', 'read'],
  ])
  const sealed = await openTestConnection('', {
    main: { url: 'sqlite:./main.db', statementTimeoutMs: 60_000 },
  })
  expect(sealed.connection.targets().map(({ name }) => name)).not.toContain('execute_transaction')
  expect(sealed.connection.targets()[0]!.timeoutMs).toBe(65_000)
  await sealed.dispose()
})

it('D1-093: the length of a query is in the schema that callers are held to', () => {
  const schema = toJsonSchema(test.connection.targets()[0]!.input) as {
    properties: { query: object }
    required: string[]
  }
  expect(schema.properties.query).toMatchObject({ maxLength: 5000 })
  expect(schema.required).toEqual(['query', 'database'])
})
