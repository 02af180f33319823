import type { SQLInputValue, SQLOutputValue } from 'node:sqlite'
import { WeirError } from '../../../core/error.ts'
import type { Statement } from '../dialect.ts'
import { bindParameters, type CompiledStatement, readColumns } from './compiled-statement.ts'
import type { Guard } from './guard.ts'
import { renderValue } from './values.ts'

/** How much one statement may answer with. */
export interface ResultLimits {
  readonly rowsMax: number
  readonly bytesMax: number
}

/** Rows as JSON text. They never exist as a whole in any other form. */
export interface RenderedRows {
  readonly text: string
  readonly count: number
  readonly truncated: boolean
  readonly bytes: number
}

/** Runs a statement that gives rows and renders a RowSet as JSON text. Stops stepping at the first limit. */
export function runRead(
  compiled: CompiledStatement,
  statement: Statement,
  guard: Guard,
  limits: ResultLimits,
): string {
  const startedMs = performance.now()
  const values = bindParameters(compiled, statement)
  const rows = renderRows(compiled, values, guard, limits)
  return `{${renderRowSet(compiled, rows)},"execution_time_ms":${elapsedSince(startedMs)}}`
}

function elapsedSince(startedMs: number): number {
  return Math.round((performance.now() - startedMs) * 1000) / 1000
}

/** The members of a RowSet without braces and time. */
export function renderRowSet(compiled: CompiledStatement, { text, count, truncated }: RenderedRows): string {
  return `"rows":${text},"columns":${compiled.columnsText},"count":${count},"truncated":${truncated}`
}

/** Steps through a statement. A number too large for JavaScript starts it over with BigInt, so it must only read. */
export function renderRows(
  compiled: CompiledStatement,
  values: Values,
  guard: Guard,
  limits: ResultLimits,
): RenderedRows {
  try {
    return stepThrough(compiled, values, guard, limits)
  } catch (thrown) {
    if ((thrown as { code?: unknown }).code !== 'ERR_OUT_OF_RANGE' || compiled.bigIntegers) throw thrown
    compiled.bigIntegers = true
    compiled.statement.setReadBigInts(true)
    return stepThrough(compiled, values, guard, limits)
  }
}

type Values = [Record<string, SQLInputValue>] | SQLInputValue[]

function stepThrough(
  compiled: CompiledStatement,
  values: Values,
  guard: Guard,
  limits: ResultLimits,
): RenderedRows {
  guard.consulted = false
  const rows = compiled.statement.iterate(...(values as SQLInputValue[])) as Iterator<unknown>
  const page = takePage(compiled, rows, guard, limits, undefined)
  if (page.left !== undefined) rows.return?.()
  return page
}

/** A page, and the row that no longer fitted it. */
interface Page extends RenderedRows {
  readonly left: string | undefined
}

/** Takes rows until one does not fit. `first` is one that was left of the page before. */
function takePage(
  compiled: CompiledStatement,
  rows: Iterator<unknown>,
  guard: Guard,
  { rowsMax, bytesMax }: ResultLimits,
  first: string | undefined,
): Page {
  let text = '['
  let count = 0
  let bytes = 0
  let rendered = first
  for (;;) {
    if (rendered === undefined) {
      const { done, value } = rows.next()
      if (count === 0 && guard.consulted) readColumns(compiled)
      if (done === true) return { text: `${text}]`, count, truncated: false, bytes, left: undefined }
      rendered = renderRow(compiled.keys, value as SQLOutputValue[], bytesMax)
    }
    const size = Buffer.byteLength(rendered) + 1
    if (count === 0 && size > bytesMax) throw rowTooLarge(size, bytesMax)
    if (count === rowsMax) return { text: `${text}]`, count, truncated: true, bytes, left: rendered }
    if (bytes + size > bytesMax) {
      return { text: `${text}]`, count, truncated: true, bytes: bytesMax, left: rendered }
    }
    bytes += size
    text += count++ === 0 ? rendered : `,${rendered}`
    rendered = undefined
  }
}

/** One result, a page at a time. Its integers come as BigInt from the start: a result half read cannot be started over. */
export class PageReader {
  readonly #compiled: CompiledStatement
  readonly #guard: Guard
  readonly #rows: Iterator<unknown>
  #left: string | undefined

  constructor(compiled: CompiledStatement, statement: Statement, guard: Guard) {
    const values = bindParameters(compiled, statement)
    compiled.bigIntegers = true
    compiled.statement.setReadBigInts(true)
    guard.consulted = false
    this.#compiled = compiled
    this.#guard = guard
    this.#rows = compiled.statement.iterate(...(values as SQLInputValue[])) as Iterator<unknown>
  }

  /** A RowSet as JSON text. */
  next(limits: ResultLimits): string {
    const startedMs = performance.now()
    const page = takePage(this.#compiled, this.#rows, this.#guard, limits, this.#left)
    this.#left = page.left
    return `{${renderRowSet(this.#compiled, page)},"execution_time_ms":${elapsedSince(startedMs)}}`
  }
}

/** Looks at a value's size before it renders it: base64 of 64 MiB takes longer than many statements may. */
function renderRow(keys: readonly string[], row: readonly SQLOutputValue[], bytesMax: number): string {
  let text = '{'
  for (let index = 0; index < row.length; index++) {
    const value = row[index]!
    if ((typeof value === 'string' || value instanceof Uint8Array) && value.length > bytesMax) {
      throw rowTooLarge(value.length, bytesMax)
    }
    text += (index === 0 ? '' : ',') + keys[index] + renderValue(value)
  }
  return `${text}}`
}

function rowTooLarge(bytes: number, bytesMax: number): WeirError {
  return new WeirError(
    'SQL_ERROR',
    `One row alone takes ${bytes} bytes of JSON; ${bytesMax} are allowed here.`,
    {
      hint: 'Select fewer columns, or a part of the large ones with substr().',
    },
  )
}
