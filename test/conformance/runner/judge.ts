import { parse } from 'yaml'
import type { Role } from './requirements.ts'

/** One line of a scenario's `checks.json`. */
export interface Check {
  readonly id: string
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO'
  readonly description?: string
  readonly errorMessage?: string
  readonly details?: unknown
}

export type Verdict = 'pass' | 'fail' | 'expected' | 'stale'

export interface ScenarioResult {
  readonly scenario: string
  readonly verdict: Verdict
  readonly checksPassed: number
  readonly checksTotal: number
  /** The checks that failed, and those that only pass with a warning: the bar is a clean run. */
  readonly failures: readonly Check[]
  /** Entries of the expectations that no longer hold: `scenario` or `scenario:check-id`. */
  readonly stale: readonly string[]
}

/** Reads a list of expected failures: scenario names, or `scenario:check-id`, under the key `server` or `client`. */
export function readExpectations(yaml: string, role: Role): readonly string[] {
  const file: Partial<Record<Role, unknown>> | null = parse(yaml)
  const entries: unknown = file?.[role] ?? []
  if (!Array.isArray(entries) || !entries.every((entry) => typeof entry === 'string')) {
    throw new Error(`A list of expected failures must have a list of names under "${role}"`)
  }
  return entries
}

/**
 * Compares what a scenario did with what was expected of it, by the rules of the suite: an entry for
 * the scenario excuses all its checks, an entry for a check that one only. `checks` is undefined when
 * the scenario left no result, which is a failure too.
 */
export function judge(
  scenario: string,
  checks: readonly Check[] | undefined,
  expected: readonly string[],
): ScenarioResult {
  const reported = checks?.length ? checks : [missingResult(scenario)]
  const counted = reported.filter((check) => check.status !== 'INFO')
  const failures = counted.filter(isBad)
  const excused = (check: Check) =>
    expected.includes(scenario) || expected.includes(`${scenario}:${check.id}`)
  const stale = findStale(scenario, counted, expected)
  return {
    scenario,
    verdict: decide(
      failures,
      failures.filter((check) => !excused(check)),
      stale,
    ),
    checksPassed: counted.filter((check) => check.status === 'SUCCESS').length,
    checksTotal: counted.length,
    failures,
    stale,
  }
}

function decide(failures: readonly Check[], unexcused: readonly Check[], stale: readonly string[]): Verdict {
  if (unexcused.length > 0) return 'fail'
  if (stale.length > 0) return 'stale'
  return failures.length > 0 ? 'expected' : 'pass'
}

/** A check counts as passed only when none of its occurrences failed; one that never ran is no news. */
function findStale(scenario: string, checks: readonly Check[], expected: readonly string[]): string[] {
  return expected.filter((entry) => {
    if (entry === scenario) return !checks.some(isBad)
    if (!entry.startsWith(`${scenario}:`)) return false
    const named = checks.filter((check) => `${scenario}:${check.id}` === entry)
    return named.some((check) => check.status === 'SUCCESS') && !named.some(isBad)
  })
}

const isBad = (check: Check) => check.status === 'FAILURE' || check.status === 'WARNING'

const missingResult = (scenario: string): Check => ({
  id: scenario,
  status: 'FAILURE',
  errorMessage: 'The suite left no result of this scenario',
})
