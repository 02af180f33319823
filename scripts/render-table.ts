/** A table in Markdown. Cells are Markdown themselves; a bar in one is escaped. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows.map((row) => row.map(renderCell))]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function renderCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
