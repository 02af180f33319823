import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWith } from '../../../test/services/describe-with.ts'
import { openTestConnection, type TestConnection } from './open-test-connection.fixture.ts'
import { createPgSandbox, type PgSandbox } from './postgres/postgres.fixture.ts'

const setup = `create table counter(id int primary key, n int);
  insert into counter select i, 0 from generate_series(1, 5) as i;
  create table notes(id serial primary key, body jsonb, at timestamptz)`

const tools = {
  find_some: {
    database: 'main',
    description: 'Finds some.',
    statement: 'select id from counter where id = any($1) order by id',
    parameters: { ids: { type: 'array', items: 'integer', description: 'Which.', maxItems: 3 } },
  },
  add_note: {
    database: 'main',
    description: 'Writes a note down.',
    statement: 'insert into notes(body, at) values ($1, $2) returning body, at',
    parameters: {
      body: { type: 'json', description: 'Anything.' },
      at: { type: 'datetime', description: 'When.' },
    },
    effect: 'write',
    result: 'one',
  },
  tell_isolation: {
    database: 'strict',
    description: 'Tells how far it is kept apart.',
    statement: 'show transaction_isolation',
    effect: 'write',
    result: 'one',
  },
}

describeWith('postgres', 'the tools at a database server', (url) => {
  let box: PgSandbox
  let test: TestConnection
  beforeAll(async () => {
    box = await createPgSandbox(url, setup)
    const databases = {
      main: { url: box.url(), write: true },
      strict: { url: box.url(), write: true, isolation: 'SERIALIZABLE' },
      small: { url: box.url(), rowsMax: 2 },
    }
    test = await openTestConnection('', databases, { tools })
  })
  afterAll(async () => {
    await test.dispose()
    await box.dispose()
  })

  const transact = (query: string, more: object = {}) =>
    test.call('execute_transaction', { queries: [{ query }], database: 'main', ...more })

  it('D1-018: a transaction is as isolated as its call says, else as its database does', async () => {
    const show = 'show transaction_isolation'
    const isolatedAs = (level: string) => ({ results: [{ rows: [{ transaction_isolation: level }] }] })
    expect(await transact(show)).toMatchObject(isolatedAs('read committed'))
    expect(await transact(show, { isolation_level: 'REPEATABLE READ' })).toMatchObject(
      isolatedAs('repeatable read'),
    )
    expect(await transact(show, { database: 'strict' })).toMatchObject(isolatedAs('serializable'))
    expect(await transact(show, { database: 'strict', isolation_level: 'READ COMMITTED' })).toMatchObject(
      isolatedAs('read committed'),
    )
    expect(await test.call('tell_isolation', {})).toMatchObject({
      data: { transaction_isolation: 'serializable' },
    })
  })

  it('B-34: a transaction that collided is run again, says so, and has taken effect once', async () => {
    await box.admin.query('begin; update counter set n = 10 where id = 1')
    const running = test.call('execute_transaction', {
      queries: [
        { query: 'select count(*) from counter' },
        { query: 'update counter set n = n + 1 where id = 1 returning n' },
      ],
      database: 'main',
      isolation_level: 'REPEATABLE READ',
    })
    // It has its snapshot and waits for the row; what is committed now collides with it.
    const waiting =
      "select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    await expect
      .poll(async () => (await box.admin.query(waiting)).rows[0].n, { timeout: 15_000 })
      .toBeGreaterThan(0)
    await box.admin.query('commit')
    expect(await running).toMatchObject({ attempts: 2, results: [{}, { rows: [{ n: 11 }] }] })
  })

  it('a declared tool takes lists, JSON and instants where the database has them', async () => {
    expect(await test.call('find_some', { ids: [4, 2, 9] })).toMatchObject({ rows: [{ id: 2 }, { id: 4 }] })
    expect(await test.call('find_some', { ids: [] })).toMatchObject({ count: 0 })
    expect(
      await test.call('add_note', { body: { a: ['x', 1.5] }, at: '2026-11-05T10:00:00+01:00' }),
    ).toMatchObject({
      data: { body: { a: ['x', 1.5] }, at: expect.stringContaining('2026-11-05T09:00:00') },
    })
  })

  it('fetch_rows reads on over a session of its own', async () => {
    const seen: number[] = []
    const query = { query: 'select id from counter order by id', database: 'small', with_cursor: true }
    let page = (await test.call('execute_query', query)) as { rows: { id: number }[]; next_cursor?: string }
    seen.push(...page.rows.map(({ id }) => id))
    while (page.next_cursor !== undefined) {
      page = (await test.call('fetch_rows', { cursor: page.next_cursor })) as typeof page
      seen.push(...page.rows.map(({ id }) => id))
    }
    expect(seen).toEqual([1, 2, 3, 4, 5])
  })
})
