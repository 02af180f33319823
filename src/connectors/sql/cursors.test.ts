import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { countHeldBytes } from './count-held-bytes.fixture.ts'
import { cursorLimits } from './cursors.ts'
import { openTestConnection, type TestConnection } from './open-test-connection.fixture.ts'

interface Page {
  readonly rows: { readonly n: number }[]
  readonly count: number
  readonly truncated: boolean
  readonly next_cursor?: string
}

const numbers = `create table numbers(n integer primary key, pad text);
  with recursive c(n) as (select 1 union all select n + 1 from c where n < 100000)
  insert into numbers select n, 'some text that every row has' from c`

const clock = createFakeClock()
let test: TestConnection
beforeAll(async () => {
  test = await openTestConnection(
    `pragma journal_mode = wal; ${numbers}`,
    {
      small: { url: 'sqlite:./main.db', rowsMax: 3 },
      slow: { url: 'sqlite:./main.db', rowsMax: 1, statementTimeoutMs: 200 },
    },
    { clock },
  )
})
afterAll(() => test.dispose())

const open = (query: string, database = 'small', user = 'ada') =>
  test.call('execute_query', { query, database, with_cursor: true }, { user }) as Promise<Page>
const next = (cursor: string | undefined, user = 'ada') =>
  test.call('fetch_rows', { cursor }, { user }) as Promise<Page>
const numbersOf = ({ rows }: Page) => rows.map(({ n }) => n)

/** Processes of Weir that serve a database, as the system lists them. */
function countProcesses({ folder } = test): number {
  return readdirSync('/proc')
    .filter((id) => /^\d+$/.test(id))
    .filter((id) => {
      try {
        return readFileSync(`/proc/${id}/cmdline`, 'utf8').includes(folder)
      } catch {
        return false
      }
    }).length
}

describe('a result that is read page by page', { timeout: 60_000 }, () => {
  it('comes whole, in order, each row once, and ends without a cursor', async () => {
    let page = await open('select n from numbers where n <= 7 order by n')
    const seen = numbersOf(page)
    while (page.next_cursor !== undefined) {
      page = await next(page.next_cursor)
      seen.push(...numbersOf(page))
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(page).toMatchObject({ count: 1, truncated: false, database: 'small' })
  })

  it('has no cursor where it fits one page, or where none was asked for', async () => {
    expect(await open('select n from numbers where n <= 3')).not.toHaveProperty('next_cursor')
    const plain = await test.call('execute_query', { query: 'select n from numbers', database: 'small' })
    expect(plain).toMatchObject({ truncated: true, count: 3 })
    expect(plain).not.toHaveProperty('next_cursor')
  })

  it.each([
    'delete',
    'wal',
  ])('shows the data as it was when it began and keeps nobody from writing, in journal mode %s', async (mode) => {
    const own = await openTestConnection(
      `pragma journal_mode = ${mode}; create table moving(n integer); insert into moving values (1), (2), (3)`,
      { main: { url: 'sqlite:./main.db', write: true, rowsMax: 1, statementTimeoutMs: 2000 } },
    )
    const query = { query: 'select n from moving order by n', database: 'main', with_cursor: true }
    let page = (await own.call('execute_query', query)) as Page
    const queries = [{ query: 'update moving set n = n + 10' }, { query: 'insert into moving values (0)' }]
    expect(await own.call('execute_transaction', { queries, database: 'main' })).toMatchObject({
      results: [{ rowcount: 3 }, { rowcount: 1 }],
    })
    const seen = numbersOf(page)
    while (page.next_cursor !== undefined) {
      page = (await own.call('fetch_rows', { cursor: page.next_cursor })) as Page
      seen.push(...numbersOf(page))
    }
    expect(seen).toEqual([1, 2, 3])
    await own.dispose()
  })

  it('D1-022, B-38: each page is held to expected_schema, and one that does not fit ends the cursor', async () => {
    const call = {
      query: 'select n from numbers',
      database: 'small',
      with_cursor: true,
      expected_schema: { properties: { n: { maximum: 5 } } },
    }
    const page = (await test.call('execute_query', call)) as Page
    expect(page).toMatchObject({ quality_validation: { passed: true, rows_checked: 3 } })
    await expect(next(page.next_cursor)).rejects.toMatchObject({
      code: 'QUALITY_REJECTED',
      data: { faults: [{ path: '/2/n' }] },
    })
    const before = countProcesses()
    await expect(
      test.call('execute_query', { ...call, expected_schema: { maxProperties: 0 } }),
    ).rejects.toMatchObject({ code: 'QUALITY_REJECTED' })
    // Neither holds a process any longer, though no clock has moved.
    await expect.poll(() => countProcesses(), { timeout: 10_000 }).toBeLessThanOrEqual(before)
    expect(await open('select n from numbers where n < 2')).toMatchObject({ quality_validation: null })
  })

  it.each([
    'delete',
    'wal',
  ])('P14: all 100,000 rows of a table, and memory stays flat, in journal mode %s', async (mode) => {
    const own = await openTestConnection(`pragma journal_mode = ${mode}; ${numbers}`, {
      main: { url: 'sqlite:./main.db' },
    })
    const query = { query: 'select n, pad from numbers order by n', database: 'main', with_cursor: true }
    let page = (await own.call('execute_query', query)) as Page
    let rows = page.count
    let early = 0
    for (let pages = 2; page.next_cursor !== undefined; pages++) {
      page = (await own.call('fetch_rows', { cursor: page.next_cursor })) as Page
      rows += page.count
      if (pages === 20) early = countHeldBytes()
    }
    expect(rows).toBe(100_000)
    expect(early).toBeGreaterThan(0)
    // The rows of the eighty pages in between take some 8 MB as objects.
    expect(countHeldBytes() - early).toBeLessThan(3e6)
    await own.dispose()
  })

  it('S11: may not write, whichever page', async () => {
    await expect(open("insert into numbers values (-1, '') returning n")).rejects.toMatchObject({
      code: 'SQL_READ_ONLY',
    })
    expect(await open('select n from numbers where n < 0')).toMatchObject({ count: 0 })
  })
})

describe('a cursor', { timeout: 60_000 }, () => {
  it('S5: is nobody’s but its caller’s, and nobody else learns that it exists', async () => {
    const { next_cursor: cursor } = await open('select n from numbers')
    const denied = await next(cursor, 'eve').catch((error: Error) => error)
    const unknown = await next('no-such-cursor', 'eve').catch((error: Error) => error)
    expect(denied).toMatchObject({ code: 'CURSOR_NOT_FOUND' })
    expect(denied).toEqual(unknown)
    const page = await next(cursor)
    expect(numbersOf(page)).toEqual([4, 5, 6])
    // The page's own cursor replaces it, so a call that was sent twice skips nothing unseen.
    await expect(next(cursor)).rejects.toMatchObject({ code: 'CURSOR_NOT_FOUND' })
    expect(numbersOf(await next(page.next_cursor))).toEqual([7, 8, 9])
    await clock.advance(cursorLimits.idleMs)
  })

  it('expires after a minute without a call, and after ten in any case, and its process with it', async () => {
    const idle = await open('select n from numbers')
    const before = countProcesses()
    await clock.advance(cursorLimits.idleMs)
    await expect(next(idle.next_cursor)).rejects.toMatchObject({ code: 'CURSOR_NOT_FOUND' })
    await expect.poll(() => countProcesses(), { timeout: 10_000 }).toBe(before - 1)

    let busy = await open('select n from numbers')
    for (let minutes = 0; minutes < 10; minutes++) {
      await clock.advance(cursorLimits.lifeMs / 10 - 1000)
      busy = await next(busy.next_cursor)
    }
    await clock.advance(10_000)
    await expect(next(busy.next_cursor)).rejects.toMatchObject({ code: 'CURSOR_NOT_FOUND' })
  })

  it('is one of four of a caller and of eight of a database', async () => {
    const { perCaller, perDatabase } = cursorLimits
    const query = 'select n from numbers'
    const attempts = await Promise.allSettled(Array.from({ length: perCaller + 2 }, () => open(query)))
    const refused = attempts.filter(({ status }) => status === 'rejected')
    expect(refused).toHaveLength(2)
    expect(refused[0]).toMatchObject({
      reason: { code: 'OVERLOADED', message: expect.stringContaining('You hold 4') },
    })
    const others = ['bob', 'cyd', 'dan', 'eli']
    expect(others).toHaveLength(perDatabase - perCaller)
    for (const user of others) await open(query, 'small', user)
    await expect(open(query, 'small', 'fay')).rejects.toMatchObject({
      code: 'OVERLOADED',
      message: expect.stringContaining('8 results of database small'),
    })
    await clock.advance(cursorLimits.idleMs)
    expect(await open(query, 'small', 'fay')).toHaveProperty('next_cursor')
    await clock.advance(cursorLimits.idleMs)
  })

  it('ends with an error of its page', async () => {
    const runaway = `select 1 as n union all select 2 union all
      select count(*) from (with recursive c(x) as (select 1 union all select x + 1 from c) select x from c)`
    const page = await open(runaway, 'slow')
    // A page ends where it knows that more follows, so the second one already asks for the row that never comes.
    await expect(next(page.next_cursor)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    await expect(next(page.next_cursor)).rejects.toMatchObject({ code: 'CURSOR_NOT_FOUND' })
  })

  it('goes with its connection, and leaves no process', async () => {
    const own = await openTestConnection('create table t(n)', {
      main: { url: 'sqlite:./main.db', rowsMax: 1 },
    })
    const query = 'select 1 as n union all select 2'
    expect(await own.call('execute_query', { query, database: 'main', with_cursor: true })).toHaveProperty(
      'next_cursor',
    )
    await own.connection.close()
    const again = own.call('execute_query', { query, database: 'main', with_cursor: true })
    await expect(again).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    expect(countProcesses(own)).toBe(0)
    await own.dispose()
  })
})
