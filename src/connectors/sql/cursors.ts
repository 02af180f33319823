import { randomBytes } from 'node:crypto'
import type { Caller } from '../../core/caller.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import { WeirError } from '../../core/error.ts'
import type { Database, Patience, RowReader, RowSet, Statement } from './dialect.ts'
import type { QualityReport, RowCheck } from './tools/result-check.ts'

/** Results held open for further pages: each costs its database a connection or a process. */
export const cursorLimits = { perDatabase: 8, perCaller: 4, idleMs: 60_000, lifeMs: 600_000 }

/** A page, and what the next one is asked for by; absent with the last page. */
export interface Page extends RowSet {
  readonly next_cursor?: string
  readonly quality_validation: QualityReport | null
}

/** What is read page by page. */
export interface CursorQuery {
  readonly alias: string
  readonly database: Database
  readonly statement: Statement
  /** What the rows of every page are held to. */
  readonly holdTo: RowCheck | undefined
}

interface Cursor {
  readonly alias: string
  readonly owner: string
  readonly endsMs: number
  readonly holdTo: RowCheck | undefined
  reader: RowReader | undefined
  timer: Timer | undefined
}

/**
 * Results that are read page by page over several calls. A cursor belongs to the caller who opened it: to all others it does
 * not exist (S5). Each page comes with a cursor of its own and uses up the one it was asked for by, so that a page is never
 * skipped unseen by a call that was sent twice. One that nobody reads for a minute, or that is ten minutes old, is let go.
 */
export class Cursors {
  readonly #clock: Clock
  readonly #open = new Map<string, Cursor>()
  /** Counted from before the database is asked, so that calls at the same time cannot pass the bound together. */
  readonly #held = new Set<Cursor>()
  readonly #closing = new Set<Promise<void>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Runs a query and gives its first page. OVERLOADED where the database or the caller holds too many open. */
  async open(
    { alias, database, statement, holdTo }: CursorQuery,
    bytesMax: number,
    context: Patience & { readonly caller: Caller },
  ): Promise<Page> {
    const cursor = this.#reserve(alias, ownerOf(context.caller), holdTo)
    try {
      cursor.reader = await database.openReader(statement, context)
    } catch (thrown) {
      this.#held.delete(cursor)
      throw thrown
    }
    return await this.#read(cursor, bytesMax, context)
  }

  /** The page after the one that came with `token`. CURSOR_NOT_FOUND where that is unknown, used up, expired or another's. */
  async next(
    token: string,
    bytesMax: number,
    context: Patience & { readonly caller: Caller },
  ): Promise<{ readonly page: Page; readonly alias: string }> {
    const cursor = this.#open.get(token)
    if (cursor === undefined || cursor.owner !== ownerOf(context.caller)) throw notFound()
    this.#open.delete(token)
    cursor.timer?.cancel()
    return { page: await this.#read(cursor, bytesMax, context), alias: cursor.alias }
  }

  /** Lets go of every result. */
  async close(): Promise<void> {
    for (const cursor of this.#held) this.#drop(cursor)
    this.#open.clear()
    await Promise.all(this.#closing)
  }

  #reserve(alias: string, owner: string, holdTo: RowCheck | undefined): Cursor {
    const all = [...this.#held]
    const { perDatabase, perCaller, lifeMs } = cursorLimits
    if (all.filter((each) => each.owner === owner).length >= perCaller) {
      throw tooMany(`You hold ${perCaller} results open already.`)
    }
    if (all.filter((each) => each.alias === alias).length >= perDatabase) {
      throw tooMany(`${perDatabase} results of database ${alias} are held open already.`)
    }
    const cursor = {
      alias,
      owner,
      holdTo,
      endsMs: this.#clock.monotonicMs() + lifeMs,
      reader: undefined,
      timer: undefined,
    }
    this.#held.add(cursor)
    return cursor
  }

  async #read(cursor: Cursor, bytesMax: number, patience: Patience): Promise<Page> {
    let page: Page
    try {
      const rowSet = await cursor.reader!.next(bytesMax, patience)
      page = { ...rowSet, quality_validation: cursor.holdTo?.(rowSet.rows) ?? null }
    } catch (thrown) {
      this.#drop(cursor)
      throw thrown
    }
    if (!page.truncated || !this.#held.has(cursor)) {
      this.#drop(cursor)
      return page
    }
    const token = randomBytes(18).toString('base64url')
    this.#open.set(token, cursor)
    const leftMs = Math.min(cursorLimits.idleMs, cursor.endsMs - this.#clock.monotonicMs())
    cursor.timer = this.#clock.setTimer(() => {
      this.#open.delete(token)
      this.#drop(cursor)
    }, leftMs)
    return { ...page, next_cursor: token }
  }

  #drop(cursor: Cursor): void {
    this.#held.delete(cursor)
    cursor.timer?.cancel()
    const closed = Promise.resolve(cursor.reader?.close()).catch(() => {})
    this.#closing.add(closed)
    void closed.then(() => this.#closing.delete(closed))
  }
}

function ownerOf({ tenant, subject }: Caller): string {
  return JSON.stringify([tenant, subject])
}

function tooMany(message: string): WeirError {
  return new WeirError('OVERLOADED', message, {
    hint: `Read one of them to its end, or wait until it expires, ${cursorLimits.idleMs / 1000} seconds after its last page.`,
  })
}

function notFound(): WeirError {
  return new WeirError('CURSOR_NOT_FOUND', 'There is no such cursor.', {
    hint: `Each cursor gives one page, and is kept for ${cursorLimits.idleMs / 1000} seconds. Run the query again with with_cursor: true.`,
  })
}
