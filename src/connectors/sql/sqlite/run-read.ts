import type { SQLInputValue, SQLOutputValue } from 'node:sqlite'
import { WeirError } from '../../../core/error.ts'
import type { Statement } from '../dialect.ts'
import { elapsedMs } from '../elapsed-ms.ts'
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
  return `{${renderRowSet(compiled, rows)},"execution_time_ms":${elapsedMs(startedMs)}}`
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

/** The arguments of a run. */
export type Values = [Record<string, SQLInputValue>] | SQLInputValue[]

function stepThrough(
  compiled: CompiledStatement,
  values: Values,
  guard: Guard,
  limits: ResultLimits,
): RenderedRows {
  const rows = renderEach(compiled, values, guard, limits.bytesMax)
  const page = takePage(rows, limits, undefined)
  if (page.left !== undefined) rows.return(undefined)
  return page
}

/** A statement's rows as JSON text, one at a time, each of them at most `bytesMax` large. */
export function* renderEach(
  compiled: CompiledStatement,
  values: Values,
  guard: Guard,
  bytesMax: number,
): Generator<string, undefined> {
  guard.consulted = false
  const rows = compiled.statement.iterate(...(values as SQLInputValue[])) as Iterator<unknown>
  try {
    for (let row = rows.next(), isFirst = true; ; row = rows.next(), isFirst = false) {
      // The engine compiles anew at the first step, where the schema has changed under a statement that was kept.
      if (isFirst && guard.consulted) readColumns(compiled)
      if (row.done === true) return undefined
      yield renderRow(compiled.keys, row.value as SQLOutputValue[], bytesMax)
    }
  } finally {
    rows.return?.()
  }
}

/** A page, and the row that no longer fitted it. */
export interface RenderedPage extends RenderedRows {
  readonly left: string | undefined
}

/** Takes rows until one does not fit. `first` is one that was left of the page before. */
export function takePage(
  rows: Iterator<string>,
  { rowsMax, bytesMax }: ResultLimits,
  first: string | undefined,
): RenderedPage {
  let text = '['
  let count = 0
  let bytes = 0
  let rendered = first
  for (;;) {
    if (rendered === undefined) {
      const { done, value } = rows.next()
      if (done === true) return { text: `${text}]`, count, truncated: false, bytes, left: undefined }
      rendered = value as string
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
