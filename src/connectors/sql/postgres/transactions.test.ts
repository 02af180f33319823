import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeWith } from '../../../../test/services/describe-with.ts'
import type { Database, IsolationLevel, Statement } from '../dialect.ts'
import { patient } from '../server/patient.fixture.ts'
import { type Relay, startRelay } from '../server/relay.fixture.ts'
import { createPgSandbox, type PgSandbox } from './postgres.fixture.ts'

const setup = `
  create table orders(id int primary key, status text not null default 'new');
  create table counter(n int);
  create table parent(id int primary key);
  create table child(parent int references parent(id) deferrable initially deferred);
  create table doctors(name text primary key, on_call bool);`

describeWith('postgres', 'PostgreSQL transactions', (url) => {
  let box: PgSandbox
  let database: Database
  let relay: Relay

  beforeAll(async () => {
    box = await createPgSandbox(url, setup)
    relay = await startRelay(url)
    database = box.open()
  })
  afterAll(async () => {
    await box.dispose()
    await relay.stop()
  })
  beforeEach(async () => {
    await box.admin.query(`truncate orders, counter, parent, child, doctors; insert into orders values (7);
      insert into counter values (0); insert into doctors values ('Ada', true), ('Grace', true)`)
  })
  afterEach(() => {
    relay.onClientData = () => true
    relay.onServerData = () => true
  })

  const transact = (statements: (string | Statement)[], isolation?: IsolationLevel, on = database) =>
    on.transact(
      statements.map((each) => (typeof each === 'string' ? { query: each } : each)),
      { bytesMax: 10_000, isolation },
      patient(),
    )
  const count = async (table: string) =>
    Number((await box.admin.query(`select count(*) from ${table}`)).rows[0].count)

  it('D0-013, D0-017, D0-021, B-03, B-04: a transaction answers per statement, in order, and lasts', async () => {
    expect(
      await transact([
        { query: 'UPDATE orders SET status = $1 WHERE id = $2', parameters: ['paid', 7] },
        { query: 'insert into orders(id) values ($1), ($2) returning id, status', parameters: [8, 9] },
        'select id from orders order by id',
        "with gone as (delete from orders where id = 9 returning id) update orders set status = 'x' from gone where orders.id = 8",
        'create table later(a int)',
        'drop table later',
      ]),
    ).toEqual({
      results: [
        { rowcount: 1 },
        {
          rows: [
            { id: 8, status: 'new' },
            { id: 9, status: 'new' },
          ],
          columns: ['id', 'status'],
          count: 2,
          truncated: false,
        },
        { rows: [{ id: 7 }, { id: 8 }, { id: 9 }], columns: ['id'], count: 3, truncated: false },
        { rowcount: 1 },
        { rowcount: 0 },
        { rowcount: 0 },
      ],
      execution_time_ms: expect.any(Number),
    })
    expect(await count('orders')).toBe(2)
  })

  it('D0-017: one failing statement undoes the others and is named', async () => {
    await expect(
      transact(['insert into orders values (1)', 'insert into orders values (2, null)']),
    ).rejects.toMatchObject({
      code: 'SQL_ERROR',
      message: expect.stringMatching(
        /^Statement 2 of 2: .*violates not-null constraint.*Nothing was changed\.$/,
      ),
      data: { statement: 2 },
    })
    expect(await count('orders')).toBe(1)
  })

  it('D0-017: a constraint that is checked at the commit undoes everything, too', async () => {
    await expect(transact(['insert into child values (99)'])).rejects.toMatchObject({
      code: 'SQL_ERROR',
      message: expect.stringMatching(/violates foreign key constraint.*Nothing was changed\.$/),
    })
    expect(await count('child')).toBe(0)
  })

  it('B-02: transactions that run at once do not interleave', async () => {
    const bump = 'update counter set n = n + 1 returning n'
    const answers = await Promise.all(Array.from({ length: 20 }, () => transact([bump, bump])))
    for (const { results } of answers) {
      const [first, second] = results.map((each) => (each as unknown as { rows: [{ n: number }] }).rows[0].n)
      expect(second).toBe(first! + 1)
    }
    expect(await transact(['select n from counter'])).toMatchObject({ results: [{ rows: [{ n: 40 }] }] })
  })

  it('B-34, D1-018: the isolation level is the one that was asked for, and write skew is a conflict', async () => {
    for (const level of ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'] as const) {
      expect(await transact(['show transaction_isolation'], level)).toMatchObject({
        results: [{ rows: [{ transaction_isolation: level.toLowerCase() }] }],
      })
    }
    const leave = (name: string) => [
      'select pg_sleep(0.3) from doctors where (select count(*) from doctors where on_call) > 1 limit 1',
      { query: 'update doctors set on_call = false where name = $1', parameters: [name] },
    ]
    const outcomes = await Promise.allSettled([
      transact(leave('Ada'), 'SERIALIZABLE'),
      transact(leave('Grace'), 'SERIALIZABLE'),
    ])
    const lost = outcomes.filter((each) => each.status === 'rejected')
    expect(lost.map(({ reason }) => reason)).toMatchObject([
      { code: 'SQL_CONFLICT', spec: { retryable: true } },
    ])
    expect(await count('doctors where on_call')).toBe(1)
  })

  it('B-34: of two transactions in a deadlock one is told of a conflict', async () => {
    await box.admin.query('insert into orders values (8)')
    const touch = (first: number, second: number) =>
      transact([
        { query: 'update orders set status = $1 where id = $2', parameters: ['x', first] },
        'select pg_sleep(0.3)',
        { query: 'update orders set status = $1 where id = $2', parameters: ['y', second] },
      ])
    const outcomes = await Promise.allSettled([touch(7, 8), touch(8, 7)])
    const lost = outcomes.filter((each) => each.status === 'rejected')
    expect(lost.map(({ reason }) => reason)).toMatchObject([{ code: 'SQL_CONFLICT' }])
  })

  it('SQL_BUSY: another program’s lock is waited for, within bounds', async () => {
    await box.admin.query('begin; lock table orders')
    try {
      const hasty = box.open({ statementTimeoutMs: 600 })
      await expect(transact(['delete from orders'], undefined, hasty)).rejects.toMatchObject({
        code: 'SQL_BUSY',
      })
    } finally {
      await box.admin.query('rollback')
    }
  })

  it('a transaction that takes too long, or whose caller leaves, has changed nothing', async () => {
    const hasty = box.open({ statementTimeoutMs: 400 })
    const slow = ['delete from orders', 'select pg_sleep(30)']
    await expect(transact(slow, undefined, hasty)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    const controller = new AbortController()
    const reason = new Error('The caller left.')
    const left = database.transact(
      slow.map((query) => ({ query })),
      { bytesMax: 100 },
      patient(controller.signal),
    )
    setTimeout(() => controller.abort(reason), 200)
    await expect(left).rejects.toBe(reason)
    await expect.poll(() => sleepers(box), { timeout: 5000 }).toBe(0)
    expect(await count('orders')).toBe(1)
    expect(await transact(['delete from orders'])).toMatchObject({ results: [{ rowcount: 1 }] })
  })

  it('S11: what a transaction leaves in its session is gone when the next one begins', async () => {
    const single = box.open({ pool: { min: 1, max: 2, idleMs: 1000 } })
    const look = [
      `select pg_backend_pid() as pid, current_user, current_setting('search_path') as path, current_setting('weir.x', true) as x,
        (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks,
        (select count(*) from pg_prepared_statements where from_sql) as prepared,
        (select count(*) from pg_class where relname = 'mine') as temporary, array(select pg_listening_channels()) as channels`,
    ]
    await transact(look, undefined, single)
    const before = await transact(look, undefined, single)
    await transact(
      [
        'set search_path = pg_catalog',
        "select set_config('weir.x', 'left', false)",
        'create temp table mine(a int)',
        'listen weir',
        'select pg_advisory_lock(7)',
        'declare c cursor with hold for select 1',
      ],
      undefined,
      single,
    )
    const rows = ({ results }: typeof before) => (results[0] as unknown as { rows: object[] }).rows[0]
    expect({ ...rows(await transact(look, undefined, single)), x: null }).toEqual({
      ...rows(before),
      x: null,
    })
    await transact(['deallocate weir_1', "prepare weir_1 as select 'planted'"], undefined, single)
    expect(rows(await transact(look, undefined, single))).toMatchObject({ prepared: 0 })
  })

  it.each([
    ['before it reaches the server', false],
    ['after it reached the server', true],
  ])('OUTCOME_UNKNOWN: the connection is lost during the commit, %s', async (_when, arrives) => {
    const remote = box.open({ url: box.url(relay.port) })
    await transact(['select 1'], undefined, remote)
    let committing = false
    relay.onClientData = (chunk, cut) => {
      if (!chunk.includes('COMMIT')) return true
      committing = true
      if (!arrives) cut()
      return arrives
    }
    relay.onServerData = (_chunk, cut) => {
      if (committing) cut()
      return !committing
    }
    await expect(transact(['insert into orders values (50)'], undefined, remote)).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      spec: { retryable: false },
    })
    await expect.poll(() => count('orders where id = 50')).toBe(arrives ? 1 : 0)
  })

  it('a connection that is lost before the commit has changed nothing, and says so', async () => {
    const remote = box.open({ url: box.url(relay.port) })
    await transact(['select 1'], undefined, remote)
    relay.onClientData = (chunk, cut) => {
      if (!chunk.includes('cut here')) return true
      cut()
      return false
    }
    await expect(
      transact(
        ['insert into orders values (60)', { query: 'select $1::text', parameters: ['cut here'] }],
        undefined,
        remote,
      ),
    ).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      message: expect.stringContaining('Nothing was changed.'),
    })
    expect(await count('orders')).toBe(1)
  })
})

async function sleepers(box: PgSandbox): Promise<number> {
  const query = `select count(*) from pg_stat_activity where usename = $1 and state = 'active' and query like '%pg_sleep(30)%'`
  return Number((await box.admin.query(query, [box.name])).rows[0].count)
}
