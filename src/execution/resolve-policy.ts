import type { Entry } from '../core/catalog.ts'
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

/** `*` stands for any characters; everything else for itself. Linear: no pattern can make it slow. */
function compileGlob(pattern: string): (id: string) => boolean {
  if (!pattern.includes('*')) return (id) => id === pattern
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop() ?? ''
  return (id) => {
    if (!id.startsWith(first) || id.length < first.length + last.length) return false
    let at = first.length
    for (const part of rest) {
      const found = id.indexOf(part, at)
      if (found === -1) return false
      at = found + part.length
    }
    return id.length - last.length >= at && id.endsWith(last)
  }
}
