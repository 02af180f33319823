import type { Patience, RowReader, RowSet, Statement } from '../dialect.ts'
import { elapsedMs } from '../elapsed-ms.ts'
import { RowBuffer } from '../server/row-buffer.ts'
import type { ResultLimits } from '../server/row-collector.ts'
import { runBounded } from '../server/run-bounded.ts'
import { unavailable } from '../server/server-error.ts'
import { toMySqlError } from './mysql-failure.ts'
import type { MySqlSession } from './mysql-session.ts'
import { createMySqlShape, type MySqlShape, sizeOfRow } from './mysql-values.ts'
import { beginRead } from './run-mysql-read.ts'

/** How long the server waits for somebody to take rows, in seconds: longer than a cursor may stay unused. */
const writeTimeoutSeconds = 3600
const unlimited = '18446744073709551615'

/** What a reader holds. */
export interface MySqlReaderParts {
  readonly session: MySqlSession
  readonly statement: Statement
  readonly alias: string
  readonly rowsMax: number
  readonly statementTimeoutMs: number
  /** Called once, when the reader needs its session no longer. */
  release(): void
}

/** Begins a read. Rejects, with the session released, where the statement is refused. */
export async function openMySqlRowReader(parts: MySqlReaderParts, patience: Patience): Promise<RowReader> {
  const reader = new MySqlRowReader(parts)
  try {
    await reader.open(patience)
    return reader
  } catch (thrown) {
    await reader.close()
    throw thrown
  }
}

/**
 * Rows of one statement, page by page. The server writes them to the connection, which is left unread between pages, so
 * that it waits with the rest.
 */
class MySqlRowReader implements RowReader {
  readonly #parts: MySqlReaderParts
  readonly #buffer = new RowBuffer()
  #shape: MySqlShape | undefined
  #limits: ResultLimits | undefined
  #filled: (() => void) | undefined
  #fault: Error | undefined
  #isRead = false
  #closed: Promise<void> | undefined

  constructor(parts: MySqlReaderParts) {
    this.#parts = parts
  }

  /** The time of a statement is watched here, page by page: for the server it lasts as long as its rows are read. */
  open(patience: Patience): Promise<void> {
    const { session, statement } = this.#parts
    return this.#run(patience, async () => {
      const noTimeout = session.isMariaDb ? 'max_statement_time' : 'max_execution_time'
      await session.run(
        `SET SESSION ${noTimeout} = 0, SESSION net_write_timeout = ${writeTimeoutSeconds}, SESSION sql_select_limit = ${unlimited}`,
      )
      const { compiled, values } = await beginRead(session, statement)
      session
        .execute(compiled, values, {
          fields: (fields) => {
            this.#shape = createMySqlShape(fields)
            this.#settle()
          },
          row: (row) => {
            this.#buffer.add(this.#shape!.parse(row), sizeOfRow(row) + this.#shape!.keyBytes)
            this.#settle()
          },
        })
        .then(
          () => this.#end(),
          (thrown) => this.#end(thrown),
        )
    })
  }

  async next(bytesMax: number, patience: Patience): Promise<RowSet> {
    const { alias, rowsMax, session } = this.#parts
    if (this.#closed !== undefined && !this.#isRead) throw lostReader(alias)
    const limits = { rowsMax, bytesMax }
    const startedMs = performance.now()
    await this.#run(patience, () => {
      const filled = new Promise<void>((resolve) => {
        this.#filled = resolve
      })
      this.#limits = limits
      session.resume()
      this.#settle()
      return filled
    })
    const { rows, truncated } = this.#buffer.take(limits)
    return {
      rows,
      columns: this.#shape?.columns ?? [],
      count: rows.length,
      truncated,
      execution_time_ms: elapsedMs(startedMs),
    }
  }

  /** A result that was not read to its end cannot be left in any other way than by ending its session. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    if (this.#parts.session.isBusy) this.#parts.session.abandon()
    this.#parts.release()
  }

  /** Stops reading as soon as a page is full; what came in the same piece is kept. */
  #settle(): void {
    const isFull = this.#limits === undefined || this.#buffer.wanted(this.#limits) === 0
    if (this.#fault === undefined && !this.#isRead && !isFull) return
    if (!this.#isRead) this.#parts.session.pause()
    if (this.#limits !== undefined) this.#filled?.()
  }

  #end(fault?: Error): void {
    this.#fault = fault
    this.#isRead = fault === undefined
    this.#buffer.end()
    this.#settle()
    if (this.#isRead) void this.close()
  }

  async #run(patience: Patience, work: () => Promise<void>): Promise<void> {
    const { alias, session, statementTimeoutMs } = this.#parts
    const startedMs = performance.now()
    const abandon = () => session.abandon()
    try {
      await runBounded({ alias, patience, limitMs: statementTimeoutMs, abandon }, work())
      if (this.#fault !== undefined) throw this.#fault
    } catch (thrown) {
      if (this.#closed !== undefined) throw lostReader(alias)
      await this.close()
      throw toMySqlError(thrown, { alias, startedMs, mode: 'read' })
    }
  }
}

function lostReader(alias: string) {
  return unavailable(alias, 'has lost the result that was being read', { hint: 'Run the query again.' })
}
