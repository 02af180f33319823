import type { DatabaseSync } from 'node:sqlite'
import type { Statement } from '../dialect.ts'
import { elapsedMs } from '../elapsed-ms.ts'
import { bindParameters, type CompiledStatement } from './compiled-statement.ts'
import type { Guard } from './guard.ts'
import { type ResultLimits, renderEach, renderRowSet, takePage } from './run-read.ts'
import { spillRows } from './spill-rows.ts'

/** No page holds a larger row, so none is rendered. */
const rowBytesMax = 4 * 1024 * 1024

/** What a result is read from. */
export interface PageSource {
  readonly database: DatabaseSync
  readonly compiled: CompiledStatement
  readonly guard: Guard
}

/**
 * One result, a page at a time. In WAL mode the statement is stepped through no further than it is asked for. In every other
 * mode whoever reads keeps all others from committing, for as long as the result is open; so the rows are set aside first.
 */
export class PageReader {
  readonly #compiled: CompiledStatement
  readonly #rows: Iterator<string>
  #left: string | undefined

  /** Integers come as BigInt from the start: a result half read cannot be started over. */
  constructor({ database, compiled, guard }: PageSource, statement: Statement) {
    const values = bindParameters(compiled, statement)
    compiled.bigIntegers = true
    compiled.statement.setReadBigInts(true)
    const rows = renderEach(compiled, values, guard, rowBytesMax)
    this.#compiled = compiled
    this.#rows = isWriteAhead(database, guard) ? rows : spillRows(rows)
  }

  /** A RowSet as JSON text. */
  next(limits: ResultLimits): string {
    const startedMs = performance.now()
    const page = takePage(this.#rows, limits, this.#left)
    this.#left = page.left
    return `{${renderRowSet(this.#compiled, page)},"execution_time_ms":${elapsedMs(startedMs)}}`
  }

  /** Lets go of what was set aside, and of the lock on the file. */
  close(): void {
    this.#rows.return?.()
  }
}

function isWriteAhead(database: DatabaseSync, guard: Guard): boolean {
  guard.trusted = true
  try {
    return database.prepare('pragma journal_mode').get()?.['journal_mode'] === 'wal'
  } finally {
    guard.trusted = false
  }
}
