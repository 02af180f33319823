import { WeirError } from '../../../core/error.ts'
import type { Patience, RowReader, RowSet, Statement } from '../dialect.ts'
import { elapsedMs } from '../elapsed-ms.ts'
import { RowBuffer } from '../server/row-buffer.ts'
import { runBounded } from '../server/run-bounded.ts'
import { unavailable } from '../server/server-error.ts'
import { bindValues } from './bind-values.ts'
import { ownStatements } from './open-pg-session.ts'
import { toStatementError } from './pg-failure.ts'
import type { PgSession } from './pg-session.ts'
import type { RowShape } from './row-shape.ts'
import { leaveTransaction, prepareRead, runOwn } from './run-read.ts'

const portal = 'weir_reader'

/** What a reader holds. */
export interface ReaderParts {
  readonly session: PgSession
  readonly statement: Statement
  readonly alias: string
  readonly rowsMax: number
  readonly statementTimeoutMs: number
  /** Called once, when the reader needs its session no longer. */
  release(): void
}

/** Begins a read-only transaction and a cursor in it. Rejects, with the session released, where the statement is refused. */
export async function openRowReader(parts: ReaderParts, patience: Patience): Promise<RowReader> {
  const reader = new PgRowReader(parts)
  try {
    await reader.open(patience)
    return reader
  } catch (thrown) {
    await reader.close()
    throw thrown
  }
}

/** Rows of one statement, page by page, from a cursor of the server's: what was not asked for is not sent. */
class PgRowReader implements RowReader {
  readonly #parts: ReaderParts
  readonly #buffer = new RowBuffer()
  #shape: RowShape | undefined
  /** Whether all rows are here, so that the session is not needed for what is left. */
  #isRead = false
  #closed: Promise<void> | undefined

  constructor(parts: ReaderParts) {
    this.#parts = parts
  }

  open(patience: Patience): Promise<void> {
    const { session, statement } = this.#parts
    return this.#run(patience, async () => {
      const { name, shape, parameterTypes } = await prepareRead(session, statement.query)
      const values = bindValues(parameterTypes, statement.parameters ?? [])
      this.#shape = shape
      await session.exchange((wire) => {
        runOwn(wire, ownStatements.beginRead)
        wire.bind({ portal, statement: name, values })
      })
    })
  }

  async next(bytesMax: number, patience: Patience): Promise<RowSet> {
    const limits = { rowsMax: this.#parts.rowsMax, bytesMax }
    const startedMs = performance.now()
    if (this.#closed !== undefined && !this.#isRead) throw lostReader(this.#parts.alias)
    await this.#run(patience, async () => {
      for (let want = this.#buffer.wanted(limits); want > 0; want = this.#buffer.wanted(limits)) {
        await this.#fetch(want)
      }
    })
    const { rows, truncated } = this.#buffer.take(limits)
    return {
      rows,
      columns: this.#shape!.columns,
      count: rows.length,
      truncated,
      execution_time_ms: elapsedMs(startedMs),
    }
  }

  /** Under way is something only where the caller does not wait for it: it is stopped. */
  close(): Promise<void> {
    if (this.#parts.session.isBusy) this.#parts.session.abandon()
    this.#closed ??= leaveTransaction(this.#parts.session).finally(() => this.#parts.release())
    return this.#closed
  }

  async #fetch(rows: number): Promise<void> {
    const { session } = this.#parts
    const shape = this.#shape!
    const { tags } = await session.exchange(
      (wire) => wire.execute({ portal, rows }),
      (_step, fields, bytes) => {
        this.#buffer.add(shape.parse(fields), bytes + shape.keyBytes)
        if (this.#buffer.isOverfull) session.cutOff()
      },
    )
    // A tag says that the statement came to its end; the row limit leaves it open.
    if (tags[0] === undefined) return
    this.#buffer.end()
    this.#isRead = true
    await this.close()
  }

  async #run(patience: Patience, work: () => Promise<void>): Promise<void> {
    const { alias, session, statement, statementTimeoutMs } = this.#parts
    const startedMs = performance.now()
    const abandon = () => session.abandon()
    try {
      await runBounded({ alias, patience, limitMs: statementTimeoutMs, abandon }, work())
    } catch (thrown) {
      if (this.#closed !== undefined) throw lostReader(alias)
      await this.close()
      if (this.#buffer.isOverfull) throw tooWide()
      throw toStatementError(thrown, { alias, query: statement.query, startedMs })
    }
  }
}

function tooWide(): WeirError {
  return new WeirError('SQL_ERROR', 'A few rows alone take more than Weir holds at once.', {
    hint: 'Select fewer columns, or a part of the large ones with substr().',
  })
}

function lostReader(alias: string): WeirError {
  return unavailable(alias, 'has lost the result that was being read', { hint: 'Run the query again.' })
}
