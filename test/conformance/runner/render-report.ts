import type { Check, ScenarioResult } from './judge.ts'
import type { SuiteRun } from './run-suite.ts'

export interface Counts {
  readonly passed: number
  readonly expected: number
  readonly failed: number
}

const detailsCharsMax = 1_500

/** A stale expectation and a complaint fail the run like a failure does. */
export function count(runs: readonly SuiteRun[]): Counts {
  const results = runs.flatMap((run) => run.results)
  const has = (...verdicts: string[]) => results.filter((result) => verdicts.includes(result.verdict)).length
  const complaints = runs.flatMap((run) => run.complaints).length
  return { passed: has('pass'), expected: has('expected'), failed: has('fail', 'stale') + complaints }
}

/** One line a scenario, then what went wrong in each that failed. */
export function renderRun(title: string, run: SuiteRun): string {
  const width = Math.max(...run.results.map((result) => result.scenario.length))
  const rows = run.results.map(
    ({ scenario, verdict, checksPassed, checksTotal }) =>
      `  ${scenario.padEnd(width)}  ${verdict.padEnd(8)}  ${checksPassed}/${checksTotal}`,
  )
  const { passed, expected, failed } = count([run])
  return [
    `${title}, revision ${run.revision}, ${run.durationMs} ms`,
    ...rows,
    ...run.complaints.map((complaint) => `  ${complaint}`),
    ...run.results
      .filter((result) => result.verdict === 'fail' || result.verdict === 'stale')
      .map(renderFailure),
    `  ${passed} pass, ${expected} expected to fail, ${failed} fail`,
    '',
  ].join('\n')
}

function renderFailure({ scenario, failures, stale }: ScenarioResult): string {
  const lines = [
    ...failures.map(renderCheck),
    ...stale.map((entry) => `    ${entry} passes: remove the expectation`),
  ]
  return [`\n  ${scenario}`, ...lines, ''].join('\n')
}

function renderCheck({ id, status, errorMessage, description, details }: Check): string {
  const seen = details === undefined ? '' : `\n      ${JSON.stringify(details).slice(0, detailsCharsMax)}`
  return `    ${status} ${id}: ${errorMessage ?? description ?? ''}${seen}`
}
