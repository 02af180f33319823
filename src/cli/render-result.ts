import type { Result } from '../core/outcome.ts'
import { isObject } from '../core/parse-json.ts'
import type { Output } from './output.ts'
import { renderTable, stripControls } from './render-table.ts'

/** A table is for looking; JSON has the whole. */
const cellCharsMax = 60

/** Prints what a tool answered: its data where there is some, else its content, text as text. */
export function printResult({ structuredContent, content = [] }: Result, output: Output): void {
  if (output.isJson) output.json(structuredContent === undefined ? { content } : structuredContent)
  else if (structuredContent !== undefined) printData(structuredContent, output)
  else for (const block of content) printBlock(block, output)
}

function printData(data: unknown, output: Output): void {
  const table = output.isTerminal ? readTable(data) : undefined
  if (table === undefined) {
    output.json(data)
    return
  }
  const { rows, columns, truncated } = table
  if (rows.length > 0 || columns !== undefined) output.text(renderTable(rows, { columns, cellCharsMax }))
  output.note(
    `(${rows.length} ${rows.length === 1 ? 'row' : 'rows'}${truncated ? ', and there are more' : ''})`,
  )
}

interface Table {
  readonly rows: readonly Record<string, unknown>[]
  readonly columns: readonly string[] | undefined
  readonly truncated: boolean
}

/** What a query answers with: rows, and where it says so their columns in order. */
function readTable(data: unknown): Table | undefined {
  if (!isObject(data)) return undefined
  const { rows, columns, truncated } = data
  if (!Array.isArray(rows) || !rows.every(isObject)) return undefined
  const isOrdered = Array.isArray(columns) && columns.every((column) => typeof column === 'string')
  return { rows, columns: isOrdered ? columns : undefined, truncated: truncated === true }
}

function printBlock(block: Readonly<Record<string, unknown>>, output: Output): void {
  if (block['type'] !== 'text') output.json(block)
  else output.text(output.isTerminal ? stripControls(String(block['text'])) : String(block['text']))
}

/** What a tool that failed says about it, in one text. */
export function failureText({ content = [], structuredContent }: Result): string {
  const texts = content.filter(({ type }) => type === 'text').map(({ text }) => String(text))
  if (texts.length > 0) return stripControls(texts.join('\n'))
  return structuredContent === undefined
    ? 'The tool answered with an error.'
    : JSON.stringify(structuredContent)
}
