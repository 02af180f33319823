/** How a table is fitted to where it is shown. */
export interface TableOptions {
  /** In this order; by default every name that a row has. */
  readonly columns?: readonly string[] | undefined
  /** What is wider is cut, in a cell and in a line; by default nothing is. */
  readonly cellCharsMax?: number
  readonly lineCharsMax?: number
}

type Row = Readonly<Record<string, unknown>>

/** Rows as aligned columns under their names; numbers to the right. Control characters never reach a terminal. */
export function renderTable(rows: readonly Row[], options: TableOptions = {}): string {
  const { cellCharsMax = Number.POSITIVE_INFINITY, lineCharsMax = Number.POSITIVE_INFINITY } = options
  const columns = options.columns ?? [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const cells = [columns, ...rows.map((row) => columns.map((column) => row[column]))].map((line) =>
    line.map((value) => cut(renderCell(value), cellCharsMax)),
  )
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index]!.length)))
  const isNumeric = columns.map((column) => rows.every((row) => typeof row[column] === 'number'))
  const pad = (cell: string, index: number) =>
    isNumeric[index] ? cell.padStart(widths[index]!) : cell.padEnd(widths[index]!)
  const [head, ...body] = cells.map((line) => line.map(pad))
  const lines = [head!, widths.map((width) => '─'.repeat(width)), ...body]
  return lines.map((line) => cut(line.join('  ').trimEnd(), lineCharsMax)).join('\n')
}

function renderCell(value: unknown): string {
  const text = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value)
  return stripControls(text.replace(/\s+/g, ' '))
}

function cut(text: string, charsMax: number): string {
  return text.length > charsMax ? `${text.slice(0, charsMax - 1)}…` : text
}

/** `text` without what a terminal would obey: a tool's answer must not move the cursor or rewrite what stands there. */
export function stripControls(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, '')
}
