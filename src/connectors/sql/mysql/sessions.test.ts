import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeWith } from '../../../../test/services/describe-with.ts'
import { countHeldBytes } from '../count-held-bytes.fixture.ts'
import type { Database, IsolationLevel, Statement } from '../dialect.ts'
import { patient } from '../server/patient.fixture.ts'
import { type Relay, startRelay } from '../server/relay.fixture.ts'
import { createMySqlSandbox, type MySqlSandbox } from './mysql.fixture.ts'

const setup = `create table orders(id int primary key, status varchar(20) not null default 'new'); create table counter(n int);
  create table many(id int primary key); insert into many select seq from seq_1_to_100000;`

describeWith('mariadb', 'MariaDB sessions and transactions', (url) => {
  let box: MySqlSandbox
  let database: Database
  let relay: Relay

  beforeAll(async () => {
    box = await createMySqlSandbox(url, setup)
    relay = await startRelay(url)
    database = box.open()
  })
  afterAll(async () => {
    await box.dispose()
    await relay.stop()
  })
  beforeEach(() =>
    box.admin.query(
      'delete from orders; delete from counter; insert into orders(id) values (7); insert into counter values (0)',
    ),
  )
  afterEach(() => {
    relay.onClientData = () => true
    relay.onServerData = () => true
  })

  const one = { query: 'select 1 as a' }
  const read = (query = one.query, on = database, signal?: AbortSignal) =>
    on.read({ query }, 10_000, patient(signal))
  const transact = (statements: (string | Statement)[], isolation?: IsolationLevel, on = database) =>
    on.transact(
      statements.map((each) => (typeof each === 'string' ? { query: each } : each)),
      { bytesMax: 10_000, isolation },
      patient(),
    )
  const number = async (query: string) => {
    const [rows] = await box.admin.query(query)
    return Number(Object.values((rows as object[])[0]!)[0])
  }
  const count = (table: string) => number(`select count(*) from ${table}`)
  const sessions = (what = '') =>
    number(`select count(*) from information_schema.processlist where user = '${box.name}' ${what}`)

  it('D0-013, D0-021, B-03, B-04: a transaction answers per statement, in order, and lasts', async () => {
    await box.admin.query('create table log(id int auto_increment primary key, what varchar(20))')
    expect(
      await transact([
        { query: 'UPDATE orders SET status = $1 WHERE id = $2', parameters: ['paid', 7] },
        { query: 'insert into log(what) values (?)', parameters: ['paid'] },
        'insert into orders(id) values (8), (9) returning id',
        'select id from orders order by id',
      ]),
    ).toMatchObject({
      results: [
        { rowcount: 1 },
        { rowcount: 1, last_insert_id: 1 },
        { rows: [{ id: 8 }, { id: 9 }], columns: ['id'] },
        { rows: [{ id: 7 }, { id: 8 }, { id: 9 }], count: 3, truncated: false },
      ],
    })
    expect(await count('orders')).toBe(3)
  })

  it('D0-013: a definition runs as the only statement of its call, because nothing can undo it', async () => {
    expect(await transact(['create table alone(a int)'])).toMatchObject({ results: [{ rowcount: 0 }] })
    await expect(transact(['insert into alone values (1)', 'drop table alone'])).rejects.toMatchObject({
      code: 'SQL_FORBIDDEN',
      hint: expect.stringContaining('the only one of its call'),
    })
    expect(await count('alone')).toBe(0)
    await expect(transact(['commit'])).rejects.toMatchObject({ code: 'SQL_FORBIDDEN' })
  })

  it('B-02: transactions that run at once do not interleave', async () => {
    const pair = [
      'update counter set n = n + 1',
      'select n from counter',
      'update counter set n = n + 1',
      'select n from counter',
    ]
    const answers = await Promise.all(Array.from({ length: 10 }, () => transact(pair)))
    for (const { results } of answers) {
      const [first, second] = [results[1], results[3]].map(
        (each) => (each as unknown as { rows: [{ n: number }] }).rows[0].n,
      )
      expect(second).toBe(first! + 1)
    }
    expect(await number('select n from counter')).toBe(20)
  })

  it('B-34, D1-018: the isolation level is the one that was asked for, and a deadlock is a conflict', async () => {
    for (const level of ['READ COMMITTED', 'SERIALIZABLE'] as const) {
      const query =
        'select trx_isolation_level as level from information_schema.innodb_trx where trx_mysql_thread_id = connection_id()'
      await box.admin.query(`grant process on *.* to ${box.name}`)
      const fresh = box.open({ allowAdminRole: true })
      expect(
        await transact(['select * from orders for update', 'select sleep(0.2)', query], level, fresh),
      ).toMatchObject({
        results: [{}, {}, { rows: [{ level }] }],
      })
      await box.admin.query(`revoke process on *.* from ${box.name}`)
    }
    await box.admin.query('insert into orders(id) values (8)')
    const touch = (first: number, second: number) =>
      transact([
        { query: 'update orders set status = $1 where id = $2', parameters: ['x', first] },
        'select sleep(0.3)',
        { query: 'update orders set status = $1 where id = $2', parameters: ['y', second] },
      ])
    const outcomes = await Promise.allSettled([touch(7, 8), touch(8, 7)])
    const lost = outcomes.filter((each) => each.status === 'rejected')
    expect(lost.map(({ reason }) => reason)).toMatchObject([
      { code: 'SQL_CONFLICT', spec: { retryable: true } },
    ])
  })

  it('another program’s lock is waited for, within bounds', async () => {
    await box.admin.query("begin; update orders set status = 'held'")
    const hasty = box.open({ statementTimeoutMs: 3000 })
    await expect(transact(["update orders set status = 'x'"], undefined, hasty)).rejects.toMatchObject({
      code: 'SQL_CONFLICT',
    })
    await box.admin.query('rollback')
  })

  it('a transaction that takes too long, or whose caller leaves, has changed nothing', async () => {
    const hasty = box.open({ statementTimeoutMs: 400 })
    const slow = ['delete from orders', 'select sleep(30)']
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
    await expect.poll(() => sessions("and info like '%sleep(30)%'"), { timeout: 5000 }).toBe(0)
    expect(await count('orders')).toBe(1)
    expect(await transact(['delete from orders'])).toMatchObject({ results: [{ rowcount: 1 }] })
  })

  it.each([
    ['before it reaches the server', false],
    ['after it reached the server', true],
  ])('OUTCOME_UNKNOWN: the connection is lost during the commit, %s', async (_when, arrives) => {
    const remote = box.open({ url: box.url(relay.port) })
    await transact([one], undefined, remote)
    let committing = false
    relay.onClientData = (chunk, cut) => {
      if (!chunk.includes('XA COMMIT')) return true
      committing = true
      if (!arrives) cut()
      return arrives
    }
    relay.onServerData = (_chunk, cut) => {
      if (committing) cut()
      return !committing
    }
    await expect(transact(['insert into orders(id) values (50)'], undefined, remote)).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
    })
    await expect.poll(() => count('orders where id = 50')).toBe(arrives ? 1 : 0)
  })

  it('opens no session before it is used, and leaves none behind', async () => {
    const before = await sessions()
    const fresh = box.open()
    expect(await sessions()).toBe(before)
    await read('select 1', fresh)
    expect(await sessions()).toBe(before + 1)
    await fresh.close()
    await fresh.close()
    await expect.poll(() => sessions()).toBe(before)
    await expect(read('select 1', fresh)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
  })

  it('P13: eight queries of 100 ms run side by side', async () => {
    const all = () => Promise.all(Array.from({ length: 8 }, () => read('select sleep(0.1)')))
    await all()
    const startedMs = performance.now()
    await all()
    expect(performance.now() - startedMs).toBeLessThan(500)
  })

  it('a session that an administrator ends while it is idle is replaced unseen', async () => {
    for (let round = 0; round < 3; round++) {
      await Promise.all([read(), read(), transact([one])])
      await box.admin.query(`kill user ${box.name}`)
      expect(await read()).toMatchObject({ rows: [{ a: 1 }] })
      expect(await transact([one])).toMatchObject({ results: [{ count: 1 }] })
    }
  })

  it('a server that is down when it is first needed is an error that says so, and heals by itself', async () => {
    const remote = box.open({ url: box.url(relay.port) })
    const down = {
      code: 'DATABASE_UNAVAILABLE',
      message: expect.stringContaining('could not be reached'),
      data: { sent: false },
    }
    await relay.stop()
    await expect(read('select 1', remote)).rejects.toMatchObject(down)
    await relay.start()
    expect(await read('select 1 as a', remote)).toMatchObject({ rows: [{ a: 1 }] })
    await relay.stop()
    await expect(read('select 1', remote)).rejects.toMatchObject(down)
    await relay.start()
    await remote.check(patient())
  })

  it('R12: a caller who leaves stops the statement at the server, and the reason comes back at once', async () => {
    const controller = new AbortController()
    const reason = new Error('The caller left.')
    const running = read('select sleep(30)', database, controller.signal)
    await expect.poll(() => sessions("and info like '%sleep(30)%'")).toBe(1)
    const leftMs = performance.now()
    controller.abort(reason)
    await expect(running).rejects.toBe(reason)
    expect(performance.now() - leftMs).toBeLessThan(100)
    await expect.poll(() => sessions("and info like '%sleep(30)%'"), { timeout: 5000 }).toBe(0)
    expect(await read()).toMatchObject({ rows: [{ a: 1 }] })
  })

  it('P14: 100,000 rows come page by page, in order, and memory stays flat', async () => {
    const reader = await database.openReader(
      { query: 'select id, repeat(md5(id), 10) as filler from many order by id' },
      patient(),
    )
    let expected = 1
    const held: number[] = []
    for (let more = true; more; ) {
      const page = await reader.next(200_000, patient())
      for (const { id } of page.rows) expect(id).toBe(expected++)
      if (expected % 20 === 1) held.push(countHeldBytes())
      more = page.truncated
    }
    expect(expected).toBe(100_001)
    // Held whole, the rows that come after the first tenth take more than 30 MB.
    expect(held.at(-1)! - held[Math.floor(held.length / 10)]!).toBeLessThan(5e6)
    await reader.close()
  })

  it('a reader writes nothing, and closes in the middle of a page', async () => {
    const open = (query: string) => database.openReader({ query }, patient())
    await expect(open('delete from many')).rejects.toMatchObject({ code: 'SQL_READ_ONLY' })
    await expect(open('delete from many returning id')).rejects.toMatchObject({ code: 'SQL_READ_ONLY' })
    const early = await open('select id from many')
    expect(await early.next(1000, patient())).toMatchObject({ truncated: true })
    await early.close()
    await early.close()
    await expect(early.next(1000, patient())).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    const slow = await open('select sleep(30)')
    const page = slow.next(1000, patient())
    await slow.close()
    await expect(page).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    expect(await read()).toMatchObject({ count: 1 })
    expect(await count('many')).toBe(100_000)
  })
})
