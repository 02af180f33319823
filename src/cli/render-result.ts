import type { Result } from '../core/outcome.ts'
import { isObject } from '../core/parse-json.ts'
import type { Output } from './output.ts'
import { renderTable, stripControls } from './render-table.ts'

/** Prints what a tool answered: its data where there is some, else its content, text as text. */
export function printResult({ structuredContent, content = [] }: Result, output: Output): void {
  if (output.isJson) output.json(structuredContent === undefined ? { content } : structuredContent)
  else if (structuredContent !== undefined) printData(structuredContent, output)
  else for (const block of content) printBlock(block, output)
}

function printData(data: unknown, output: Output): void {
  const rows = output.isTerminal ? rowsOf(data) : undefined
  if (rows === undefined) {
    output.json(data)
    return
  }
  if (rows.length > 0) output.text(renderTable(rows))
  const isCut = isObject(data) && data['truncated'] === true
  output.note(`(${rows.length} ${rows.length === 1 ? 'row' : 'rows'}${isCut ? '; there are more' : ''})`)
}

function rowsOf(data: unknown): readonly Record<string, unknown>[] | undefined {
  const rows = isObject(data) ? data['rows'] : undefined
  return Array.isArray(rows) && rows.every(isObject) ? rows : undefined
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
