import { WeirError } from '../../../core/error.ts'
import type { RowSet } from '../dialect.ts'

/** How much one statement may answer with. */
export interface ResultLimits {
  readonly rowsMax: number
  readonly bytesMax: number
}

type Row = Readonly<Record<string, unknown>>

/** Takes rows as they come and stops keeping them at the first limit. */
export class RowCollector {
  readonly rows: Row[] = []
  readonly #limits: ResultLimits
  /** What the kept rows take, about. */
  bytes = 0
  #truncated = false
  #dropped = 0

  constructor(limits: ResultLimits) {
    this.#limits = limits
  }

  /** Whether more of the answer need not be looked at. */
  get isFull(): boolean {
    return this.#truncated
  }

  /** What came after the last row kept; a server that goes on and on is cut off. */
  get droppedBytes(): number {
    return this.#dropped
  }

  /** `read` makes the row; it is not called where there is no room. Throws SQL_ERROR where the first alone is too large. */
  take(bytes: number, read: () => Row): void {
    if (
      this.#truncated ||
      this.rows.length === this.#limits.rowsMax ||
      this.bytes + bytes > this.#limits.bytesMax
    ) {
      if (this.rows.length === 0) throw rowTooLarge(bytes, this.#limits.bytesMax)
      this.#truncated = true
      this.#dropped += bytes
      return
    }
    this.bytes += bytes
    this.rows.push(read())
  }

  /** The members of a RowSet without the time. */
  render(columns: readonly string[]): Omit<RowSet, 'execution_time_ms'> {
    return { rows: this.rows, columns, count: this.rows.length, truncated: this.#truncated }
  }
}

/** The first row alone does not fit the answer. */
export function rowTooLarge(bytes: number, bytesMax: number): WeirError {
  return new WeirError(
    'SQL_ERROR',
    `One row alone takes ${bytes} bytes of JSON; ${bytesMax} are allowed here.`,
    {
      hint: 'Select fewer columns, or a part of the large ones with substr().',
    },
  )
}
