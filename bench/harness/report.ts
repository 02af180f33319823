import { availableParallelism } from 'node:os'
import type { Measured, RowSpec } from './case.ts'

/** One measured row, or the reason why it could not be measured. */
export interface Row {
  readonly id: string
  readonly spec: RowSpec
  readonly outcome: Measured | { readonly error: string }
}

/** One entry of `results.json`. What could not be measured has no numbers and is not met. */
interface ResultEntry {
  readonly id: string
  readonly era?: string
  readonly value: number | null
  readonly unit: string
  readonly better: 'higher' | 'lower'
  readonly bar: number
  readonly goal: number | null
  readonly met: boolean
  readonly subject: number | null
  readonly baseline: number | null
}

const digits = 5

/** Whether `value` reaches `mark`; equality does. */
export function reaches(value: number, mark: number, better: RowSpec['better']): boolean {
  return better === 'higher' ? value >= mark : value <= mark
}

/** What goes into `bench/results.json`. */
export function renderResults(rows: readonly Row[], date: Date): string {
  const results = rows.map(renderEntry)
  const report = { node: process.version, date: date.toISOString(), cores: availableParallelism(), results }
  return `${JSON.stringify(report, null, 2)}\n`
}

function renderEntry({ id, spec, outcome }: Row): ResultEntry {
  const { era, unit, better, bar, goal } = spec
  const measured = 'error' in outcome ? undefined : outcome
  const round = (value: number | undefined) =>
    value === undefined ? null : Number(value.toPrecision(digits))
  return {
    id,
    ...(era === undefined ? {} : { era }),
    value: round(measured?.value),
    unit,
    better,
    bar,
    goal,
    met: measured !== undefined && reaches(measured.value, bar, better),
    subject: round(measured?.subject),
    baseline: round(measured?.baseline),
  }
}

const header = ['', 'era', 'value', '', 'bar', 'goal', '', 'subject', 'baseline']

/** The table for people: one line a row, its notes indented below. */
export function renderTable(rows: readonly Row[]): string {
  const lines = [header, ...rows.map(renderCells)]
  const widths = header.map((_, column) => Math.max(...lines.map((cells) => cells[column]!.length)))
  const texts = lines.map((cells) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  )
  return [texts[0], ...rows.flatMap((row, i) => [texts[i + 1], ...renderNotes(row)])].join('\n')
}

function renderCells({ id, spec, outcome }: Row): string[] {
  const { era = '', unit, better, bar, goal, sides } = spec
  const sign = better === 'higher' ? '≥' : '≤'
  const marks = [`${sign} ${bar}`, goal === null ? '' : `${goal}`]
  if ('error' in outcome) return [id, era, '?', unit, ...marks, 'not measured', '', '']
  const { value, subject, baseline } = outcome
  const verdict = renderVerdict(value, spec)
  return [
    id,
    era,
    renderNumber(value),
    unit,
    ...marks,
    verdict,
    ...[subject, baseline].map((side) => `${renderNumber(side)} ${sides}`),
  ]
}

function renderVerdict(value: number, { bar, goal, better }: RowSpec): string {
  if (!reaches(value, bar, better)) return 'MISSED'
  return goal !== null && reaches(value, goal, better) ? 'met, goal too' : 'met'
}

function renderNotes({ outcome }: Row): string[] {
  const notes = 'error' in outcome ? [outcome.error.split('\n', 1)[0]] : (outcome.notes ?? [])
  return notes.map((note) => `     ${note}`)
}

function renderNumber(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en-US') : `${Number(value.toPrecision(3))}`
}
