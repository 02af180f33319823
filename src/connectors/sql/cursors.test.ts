import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { cursorLimits } from './cursors.ts'
import { openTestConnection, type TestConnection } from './open-test-connection.fixture.ts'

interface Page {
  readonly rows: { readonly n: number }[]
  readonly count: number
  readonly truncated: boolean
  readonly next_cursor?: string
}

const clock = createFakeClock()
let test: TestConnection
beforeAll(async () => {
  const setup = `create table numbers(n integer primary key, pad text);
    with recursive c(n) as (select 1 union all select n + 1 from c where n < 100000)
    insert into numbers select n, 'some text that every row has' from c`
  test = await openTestConnection(
    setup,
    {
      main: { url: 'sqlite:./main.db', write: true },
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
function countProcesses(): number {
  return readdirSync('/proc')
    .filter((id) => /^\d+$/.test(id))
    .filter((id) => {
      try {
        return readFileSync(`/proc/${id}/cmdline`, 'utf8').includes(test.folder)
      } catch {
        return false
      }
    }).length
}

describe('a result that is read page by page', () => {
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

  it('shows the data as it was when it began, whatever is written meanwhile', async () => {
    await test.call('execute_transaction', {
      queries: [
        { query: 'create table moving(n integer)' },
        { query: 'insert into moving values (1), (2), (3), (4)' },
      ],
      database: 'main',
    })
    await test.call('execute_query', { query: 'select 1', database: 'small' })
    const page = await open('select n from moving order by n')
    expect(numbersOf(await next(page.next_cursor))).toEqual([4])
  })

  it('P14: all 100,000 rows of a table, and the memory of this process stays flat', {
    timeout: 60_000,
  }, async () => {
    let page = await open('select n, pad from numbers order by n', 'main')
    let rows = page.count
    const heaps: number[] = []
    while (page.next_cursor !== undefined) {
      page = await next(page.next_cursor)
      rows += page.count
      heaps.push(process.memoryUsage.rss())
    }
    expect(rows).toBe(100_000)
    expect(heaps).toHaveLength(99)
    // A result held whole would take some 20 MB more at the end than after the first tenth.
    expect(heaps.at(-1)! - heaps[20]!).toBeLessThan(15e6)
  })

  it('S11: may not write, whichever page', async () => {
    await expect(open("insert into numbers values (-1, '') returning n")).rejects.toMatchObject({
      code: 'SQL_READ_ONLY',
    })
    expect(await open('select n from numbers where n < 0')).toMatchObject({ count: 0 })
  })
})

describe('a cursor', () => {
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
    await expect.poll(countProcesses, { timeout: 10_000 }).toBe(before - 1)

    let busy = await open('select n from numbers')
    for (let minutes = 0; minutes < 10; minutes++) {
      await clock.advance(cursorLimits.lifeMs / 10 - 1000)
      busy = await next(busy.next_cursor)
    }
    await clock.advance(10_000)
    await expect(next(busy.next_cursor)).rejects.toMatchObject({ code: 'CURSOR_NOT_FOUND' })
  })

  it('is one of four of a caller and of eight of a database', { timeout: 60_000 }, async () => {
    const { perCaller, perDatabase } = cursorLimits
    const query = 'select n from numbers'
    const attempts = await Promise.allSettled(Array.from({ length: perCaller + 2 }, () => open(query)))
    const refused = attempts.filter(({ status }) => status === 'rejected')
    expect(refused).toHaveLength(2)
    expect(refused[0]).toMatchObject({
      reason: { code: 'OVERLOADED', message: expect.stringContaining('You hold 4') },
    })
    const others = await Promise.all(['bob', 'cyd', 'dan', 'eli'].map((user) => open(query, 'small', user)))
    expect(others).toHaveLength(perDatabase - perCaller)
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
    await own.dispose()
  })
})
