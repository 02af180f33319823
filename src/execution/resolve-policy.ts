import type { Entry } from '../core/catalog.ts'
import { compileGlob } from '../core/glob.ts'
import type { Policy } from '../core/policy.ts'

/** What the config says of the tools that a pattern matches. */
export interface PolicyRule {
  readonly timeoutMs?: number
}

/** C-07. */
const defaultTimeoutMs = 30_000

/**
 * The policy of a target: for each field the most exact pattern that sets it wins; an exact id beats a glob, and of
 * two globs the one with more literal characters. Called once a target, so it may take its time.
 */
export function createPolicyResolver(rules: Readonly<Record<string, PolicyRule>>): (entry: Entry) => Policy {
  const ordered = Object.entries(rules)
    .map(([pattern, rule]) => ({ matches: compileGlob(pattern), rule, weight: weigh(pattern) }))
    .sort((a, b) => b.weight - a.weight)
  return (entry) => {
    const matching = ordered.filter(({ matches }) => matches(entry.id))
    const timeoutMs = matching.find(({ rule }) => rule.timeoutMs !== undefined)?.rule.timeoutMs
    return { timeoutMs: timeoutMs ?? entry.target.timeoutMs ?? defaultTimeoutMs }
  }
}

function weigh(pattern: string): number {
  const literals = pattern.replaceAll('*', '').length
  return pattern.includes('*') ? literals : Number.POSITIVE_INFINITY
}
