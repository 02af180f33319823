import { type ResultLimits, rowTooLarge } from './row-collector.ts'

/** Rows asked for first, while it is not known how large they are. */
const firstRows = 20
/** The most that may wait here: rows that came together and do not fit one page. */
const bufferBytesMax = 64 * 1024 * 1024

type Row = Readonly<Record<string, unknown>>

/** Rows that came from a server and wait for the page they fit on. */
export class RowBuffer {
  #waiting: { readonly row: Row; readonly bytes: number }[] = []
  #bytes = 0
  #seenRows = 0
  #seenBytes = 0
  #ended = false

  get isOverfull(): boolean {
    return this.#bytes > bufferBytesMax
  }

  add(row: Row, bytes: number): void {
    this.#waiting.push({ row, bytes })
    this.#bytes += bytes
    this.#seenRows++
    this.#seenBytes += bytes
  }

  /** No more rows will come. */
  end(): void {
    this.#ended = true
  }

  /** How many rows to ask the server for, to fill a page of this size; 0: enough are here. */
  wanted({ rowsMax, bytesMax }: ResultLimits): number {
    if (this.#ended || this.#bytes > bytesMax || this.#waiting.length > rowsMax) return 0
    const missing = rowsMax + 1 - this.#waiting.length
    if (this.#seenRows === 0) return Math.min(missing, firstRows)
    const fitting = Math.ceil((bytesMax - this.#bytes + 1) / (this.#seenBytes / this.#seenRows))
    return Math.max(1, Math.min(missing, fitting))
  }

  /** The next page. `truncated` says that there are more. Throws SQL_ERROR where its first row alone is too large. */
  take({ rowsMax, bytesMax }: ResultLimits): { rows: readonly Row[]; truncated: boolean } {
    let count = 0
    let bytes = 0
    for (const entry of this.#waiting) {
      if (entry.bytes > bytesMax && count === 0) throw rowTooLarge(entry.bytes, bytesMax)
      if (count === rowsMax || bytes + entry.bytes > bytesMax) break
      count++
      bytes += entry.bytes
    }
    const rows = this.#waiting.splice(0, count).map(({ row }) => row)
    this.#bytes -= bytes
    return { rows, truncated: !this.#ended || this.#waiting.length > 0 }
  }
}
