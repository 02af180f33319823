import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeWith } from '../../../../test/services/describe-with.ts'
import { renderError, toWeirError } from '../../../core/error.ts'
import { describeConnector } from '../../../testing/describe-connector.ts'
import { openTestConnection, sql } from '../open-test-connection.fixture.ts'
import { patient } from '../server/patient.fixture.ts'
import { startRelay } from '../server/relay.fixture.ts'
import { createPgSandbox, type PgSandbox } from './postgres.fixture.ts'
import { postgresDialect } from './postgres.ts'

const one = (database: object) => ({ databases: { main: database } })

describeWith('postgres', 'PostgreSQL through the connector', (url) => {
  let box: PgSandbox
  beforeAll(async () => {
    box = await createPgSandbox(url, 'create table t(id int primary key); insert into t values (1)')
  })
  afterAll(() => box.dispose())

  describeConnector(sql, {
    config: () => one({ url: box.url(), write: true }),
    deadConfig: () => one({ url: 'postgres://ada:canary-7@127.0.0.1:1/x' }),
    secret: 'canary-7',
    slowCall: { tool: 'execute_query', input: { query: 'select pg_sleep(30)', database: 'main' } },
    badConfigs: [
      { config: one({ url: 'postgres://' }), field: 'databases.main.url' },
      { config: one({ url: 'postgres://ada:canary-7@db' }), field: 'databases.main.url' },
      { config: one({ url: 'postgres://db/canary-7' }), field: 'databases.main.url' },
      { config: one({ url: 'postgresql://ada:canary-7@db/x?sslmode=prefer' }), field: 'databases.main.url' },
      { config: one({ url: 'postgres://ada:canary-7@db/x?options=-c%20a' }), field: 'databases.main.url' },
      { config: one({ url: 'postgres://ada:canary-7%zz@db/x' }), field: 'databases.main.url' },
      {
        config: one({ url: 'postgres://ada@db/x', pool: { min: 9, max: 3 } }),
        field: 'databases.main.pool.min',
      },
      {
        config: one({ url: 'postgres://ada@db/x', tls: { verify: false } }),
        field: 'databases.main.tls.verify',
      },
    ],
  })

  it('B-01, D0-011, D1-012: two databases of one kind are two databases', async () => {
    const other = await createPgSandbox(url, 'create table t(id int primary key); insert into t values (2)')
    const test = await openTestConnection('', {
      one: { url: box.url() },
      two: { url: other.url() },
      down: { url: 'postgres://ada@127.0.0.1:1/x' },
    })
    const rows = async (database: string) =>
      (
        (await test.call('execute_query', { query: 'select id from t', parameters: [], database })) as {
          rows: unknown
        }
      ).rows
    expect(await Promise.all([rows('one'), rows('two'), rows('one')])).toEqual([
      [{ id: 1 }],
      [{ id: 2 }],
      [{ id: 1 }],
    ])
    await expect(rows('down')).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    await expect(test.connection.check(new AbortController().signal)).rejects.toMatchObject({
      message: expect.stringContaining('down'),
    })
    await test.dispose()
    await other.dispose()
  })

  it('S16: no error of a login shows the password', async () => {
    await box.admin.query(`create role ${box.name}_x login password 'right'`)
    const scrambled = new URL(box.url())
    scrambled.username = `${box.name}_nobody`
    scrambled.password = 'canary-8'
    const database = box.open({ url: scrambled.href })
    const thrown = toWeirError(
      await database.read({ query: 'select 1' }, 1000, patient()).catch((error) => error),
    )
    expect(thrown.code).toBe('DATABASE_UNAVAILABLE')
    expect(JSON.stringify(renderError(thrown))).not.toContain('canary-8')
    await box.admin.query(`drop role ${box.name}_x`)
  })

  it('TLS that was asked for is never left out', async () => {
    const relay = await startRelay(url)
    const sent: string[] = []
    relay.onClientData = (chunk) => {
      sent.push(chunk.toString('latin1'))
      return true
    }
    relay.onServerData = (chunk) => {
      chunk.fill('N', 0, 1)
      return true
    }
    for (const config of [{ tls: true }, { url: `${box.url(relay.port)}?sslmode=require` }]) {
      const database = box.open({ url: box.url(relay.port), ...config })
      await expect(database.read({ query: 'select 1' }, 1000, patient())).rejects.toMatchObject({
        code: 'DATABASE_UNAVAILABLE',
        message: expect.stringContaining('does not support SSL'),
        hint: expect.stringContaining('tls: false'),
      })
    }
    expect(sent.join('')).not.toContain(box.name)
    await relay.stop()
  })
})

describe('TLS by default', () => {
  it.each([
    ['postgres://ada@127.0.0.1/x', undefined],
    ['postgres://ada@%2Frun%2Fpostgresql/x', undefined],
    ['postgres://ada@db.example/x?sslmode=verify-full', undefined],
    ['postgresql://ada@[::1]:5433/x?application_name=y', undefined],
    ['postgres://ada@/x', expect.stringContaining('host')],
  ])('%s is a URL', (given, problem) => expect(postgresDialect.problemOf(given)).toEqual(problem))
})
