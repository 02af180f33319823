import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeWith } from '../../../../test/services/describe-with.ts'
import { countHeldBytes } from '../count-held-bytes.fixture.ts'
import type { Database } from '../dialect.ts'
import { patient } from '../server/patient.fixture.ts'
import { type Relay, startRelay } from '../server/relay.fixture.ts'
import { createPgSandbox, type PgSandbox } from './postgres.fixture.ts'

const setup = `create table t(id int primary key); insert into t select generate_series(1, 100000);`

describeWith('postgres', 'PostgreSQL sessions', (url) => {
  let box: PgSandbox
  let relay: Relay

  beforeAll(async () => {
    box = await createPgSandbox(url, setup)
    relay = await startRelay(url)
  })
  afterAll(async () => {
    await box.dispose()
    await relay.stop()
  })
  beforeEach(() => {
    relay.onClientData = () => true
    relay.onServerData = () => true
  })

  const one = { query: 'select 1 as a' }
  const read = (database: Database, query = one.query, signal?: AbortSignal) =>
    database.read({ query }, 10_000, patient(signal))
  const sessions = async (state = '') =>
    Number(
      (await box.admin.query(`select count(*) from pg_stat_activity where usename = $1 ${state}`, [box.name]))
        .rows[0].count,
    )
  const terminateAll = () =>
    box.admin.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [box.name])

  it('opens no session before it is used, and leaves none behind', async () => {
    const database = box.open()
    expect(await sessions()).toBe(0)
    await read(database)
    await database.transact([one], { bytesMax: 1000 }, patient())
    expect(await sessions()).toBe(2)
    await database.close()
    await database.close()
    await expect.poll(() => sessions()).toBe(0)
    await expect(read(database)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
  })

  it('B-02, D1-013: at most 20 sessions, however many ask at once', async () => {
    const database = box.open({ pool: { min: 5, max: 20, idleMs: 300_000 } })
    const all = Array.from({ length: 60 }, () => read(database, 'select pg_sleep(0.05)'))
    await expect.poll(() => sessions()).toBeGreaterThan(5)
    await Promise.all(all)
    expect(await sessions()).toBeLessThanOrEqual(15)
    await database.close()
  })

  it('P13, D1-005: eight queries of 100 ms take the time of two, not of eight', async () => {
    const database = box.open()
    const all = () => Promise.all(Array.from({ length: 8 }, () => read(database, 'select pg_sleep(0.1)')))
    await all()
    const startedMs = performance.now()
    await all()
    expect(performance.now() - startedMs).toBeLessThan(400)
    await database.close()
  })

  it('a session that an administrator ends while it is idle is replaced unseen', async () => {
    const database = box.open()
    for (let round = 0; round < 5; round++) {
      await Promise.all([read(database), read(database), read(database)])
      await terminateAll()
      expect(await read(database)).toMatchObject({ rows: [{ a: 1 }] })
      expect(await database.transact([one], { bytesMax: 1000 }, patient())).toMatchObject({
        results: [{ count: 1 }],
      })
    }
    await database.close()
  })

  it('a call whose session turns out to be dead is sent again over another one', async () => {
    const database = box.open({ url: box.url(relay.port) })
    await Promise.all([
      read(database),
      read(database),
      database.transact([one], { bytesMax: 1000 }, patient()),
    ])
    const cutOnce = (mark: string) => {
      let cuts = 0
      relay.onClientData = (chunk, cut) => {
        if (!chunk.includes(mark) || cuts++ > 0) return true
        cut()
        return false
      }
      return () => cuts
    }
    const reads = cutOnce('weir_begin_read')
    expect(await read(database)).toMatchObject({ rows: [{ a: 1 }] })
    expect(reads()).toBeGreaterThan(1)
    const writes = cutOnce('BEGIN READ WRITE')
    expect(await database.transact([one], { bytesMax: 1000 }, patient())).toMatchObject({
      results: [{ count: 1 }],
    })
    expect(writes()).toBe(2)
    await database.close()
  })

  it('a session that is ended while it works fails its call, and the next one is answered', async () => {
    const database = box.open()
    const running = expect(read(database, 'select pg_sleep(30)')).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      spec: { retryable: true },
    })
    await expect.poll(() => sessions("and query like '%pg_sleep%' and state = 'active'")).toBe(1)
    await terminateAll()
    await running
    expect(await read(database)).toMatchObject({ rows: [{ a: 1 }] })
    await database.close()
  })

  it('a server that is down when it is first needed is an error that says so, and heals by itself', async () => {
    const database = box.open({ url: box.url(relay.port) })
    await relay.stop()
    const down = {
      code: 'DATABASE_UNAVAILABLE',
      message: expect.stringContaining('could not be reached'),
      data: { sent: false },
    }
    await expect(read(database)).rejects.toMatchObject(down)
    await expect(database.check(patient())).rejects.toMatchObject(down)
    await relay.start()
    expect(await read(database)).toMatchObject({ rows: [{ a: 1 }] })
    await relay.stop()
    await expect(read(database)).rejects.toMatchObject(down)
    await relay.start()
    await database.check(patient())
    await database.close()
  })

  it('R12: a caller who leaves stops the statement at the server, and the reason comes back at once', async () => {
    const database = box.open()
    const controller = new AbortController()
    const reason = new Error('The caller left.')
    const running = read(database, 'select pg_sleep(30)', controller.signal)
    await expect.poll(() => sessions("and query like '%pg_sleep%' and state = 'active'")).toBe(1)
    const leftMs = performance.now()
    controller.abort(reason)
    await expect(running).rejects.toBe(reason)
    expect(performance.now() - leftMs).toBeLessThan(100)
    await expect
      .poll(() => sessions("and query like '%pg_sleep%' and state = 'active'"), { timeout: 5000 })
      .toBe(0)
    await expect(read(database, 'select 1', AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(await read(database)).toMatchObject({ rows: [{ a: 1 }] })
    await database.close()
  })

  it('a server that stops answering is given up at the deadline', async () => {
    const database = box.open({ url: box.url(relay.port), statementTimeoutMs: 300 })
    await read(database)
    relay.onServerData = () => false
    await expect(read(database)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    const patience = { ...patient(), deadlineMs: performance.now() + 200 }
    await expect(database.read(one, 1000, patience)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    await database.close()
  })

  it('P14: 100,000 rows come page by page, in order, and memory stays flat', async () => {
    const database = box.open({ rowsMax: 1000 })
    const reader = await database.openReader(
      { query: 'select id, repeat(md5(id::text), 10) as filler from t order by id' },
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
    expect(await reader.next(1000, patient())).toMatchObject({ rows: [], truncated: false })
    await reader.close()
    await database.close()
  })

  it('a reader writes nothing, holds its session no longer than it needs it, and closes in the middle of a page', async () => {
    const database = box.open({ pool: { min: 1, max: 4, idleMs: 1000 } })
    const open = (query: string) => database.openReader({ query }, patient())
    await expect(open('delete from t')).rejects.toMatchObject({ code: 'SQL_READ_ONLY' })
    const sneaky = await open('delete from t returning id')
    await expect(sneaky.next(1000, patient())).rejects.toMatchObject({ code: 'SQL_READ_ONLY' })
    const early = await open('select id from t')
    expect(await early.next(1000, patient())).toMatchObject({ truncated: true })
    await early.close()
    await early.close()
    await expect(early.next(1000, patient())).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    const slow = await open('select pg_sleep(30)')
    const page = slow.next(1000, patient())
    await slow.close()
    await expect(page).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    const wide = await open("select repeat('x', 5000) as x")
    await expect(wide.next(1000, patient())).rejects.toMatchObject({ code: 'SQL_ERROR' })
    for (let round = 0; round < 10; round++) expect(await read(database)).toMatchObject({ count: 1 })
    expect(Number((await box.admin.query('select count(*) from t')).rows[0].count)).toBe(100_000)
    await database.close()
  })

  it('OVERLOADED: open readers take no more than half of the sessions', async () => {
    const database = box.open({ write: false, pool: { min: 1, max: 4, idleMs: 1000 } })
    const readers = await Promise.all(
      [1, 2].map(() => database.openReader({ query: 'select id from t' }, patient())),
    )
    await expect(database.openReader(one, patient())).rejects.toMatchObject({ code: 'OVERLOADED' })
    expect(await read(database)).toMatchObject({ count: 1 })
    await readers[0]!.close()
    await (await database.openReader(one, patient())).close()
    await readers[1]!.close()
    await database.close()
  })
})
