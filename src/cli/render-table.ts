/** A cell wider than this is cut: a table is for looking, JSON for the whole. */
const cellCharsMax = 60

/** Rows as aligned columns under their names; numbers to the right. Control characters never reach a terminal. */
export function renderTable(
  rows: readonly Readonly<Record<string, unknown>>[],
  columns: readonly string[] = [...new Set(rows.flatMap((row) => Object.keys(row)))],
): string {
  const cells = [columns, ...rows.map((row) => columns.map((column) => row[column]))].map((line) =>
    line.map(renderCell),
  )
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index]!.length)))
  const isNumeric = columns.map((column) => rows.every((row) => typeof row[column] === 'number'))
  const [head, ...body] = cells.map((line) =>
    line
      .map((cell, index) => (isNumeric[index] ? cell.padStart(widths[index]!) : cell.padEnd(widths[index]!)))
      .join('  ')
      .trimEnd(),
  )
  const rule = widths.map((width) => '─'.repeat(width)).join('  ')
  return [head, rule, ...body].join('\n')
}

function renderCell(value: unknown): string {
  const text = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value)
  const safe = stripControls(text.replace(/\s+/g, ' '))
  return safe.length > cellCharsMax ? `${safe.slice(0, cellCharsMax - 1)}…` : safe
}

/** `text` without what a terminal would obey: a tool's answer must not move the cursor or rewrite what stands there. */
export function stripControls(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, '')
}
