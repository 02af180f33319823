import type { Entry } from '../core/catalog.ts'
import { compileGlob } from '../core/glob.ts'
import type { BreakerRule, BulkheadRule, Policy, RateRule, RetryRule } from '../core/policy.ts'
import { isTool, type Tool } from '../core/tool.ts'

/** What the config says of the tools that a pattern matches; `false` turns off what is on by itself. */
export type PolicyRule = {
  readonly [K in keyof Policy]?: K extends 'timeoutMs' | 'isDenied' | 'confirm'
    ? Policy[K]
    : Policy[K] | false
}

/** C-07. */
const defaultTimeoutMs = 30_000
/** C-06. */
const defaultRetry: RetryRule = { attemptsMax: 3, delayMs: 1_000, delayMsMax: 60_000 }
/** C-05. */
const defaultBreaker: BreakerRule = { failures: 5, recoveryMs: 60_000, successes: 2 }
const defaultBulkhead: BulkheadRule = { runningMax: 64, waitingMax: 256 }

/**
 * The policy of a target: for each field the most exact pattern that sets it wins; an exact id beats a glob, and of
 * two globs the one with more literal characters. What denies, or asks for confirmation, only ever tightens. Called
 * once a target, so it may take its time.
 */
export function createPolicyResolver(rules: Readonly<Record<string, PolicyRule>>): (entry: Entry) => Policy {
  const ordered = Object.entries(rules)
    .map(([pattern, rule]) => ({ matches: compileGlob(pattern), rule, weight: weigh(pattern) }))
    .sort((a, b) => b.weight - a.weight)
  return (entry) => {
    const matching = ordered.filter(({ matches }) => matches(entry.id)).map(({ rule }) => rule)
    return resolve(entry, matching)
  }
}

function resolve({ target }: Entry, matching: readonly PolicyRule[]): Policy {
  const first = <K extends keyof Policy>(key: K) => matching.find((rule) => rule[key] !== undefined)?.[key]
  const own = isTool(target) ? declaredBy(target) : {}
  const asked = [own.confirm, ...matching.map(({ confirm }) => confirm)]
  const confirm = asked.includes('operator') ? 'operator' : asked.find((who) => who !== undefined)
  return omitOff({
    timeoutMs: first('timeoutMs') ?? target.timeoutMs ?? defaultTimeoutMs,
    isDenied: matching.some(({ isDenied }) => isDenied === true),
    confirm,
    rateLimits: first('rateLimits') ?? own.rateLimits,
    cache: first('cache'),
    invalidates: first('invalidates'),
    retry: first('retry') ?? defaultRetry,
    breaker: first('breaker') ?? defaultBreaker,
    bulkhead: first('bulkhead') ?? defaultBulkhead,
    fallback: first('fallback'),
  }) as unknown as Policy
}

/** What a tool declares for itself (D4-010). */
function declaredBy({ confirm, rateLimit }: Tool): {
  readonly confirm?: 'operator'
  readonly rateLimits?: readonly RateRule[]
} {
  return {
    ...(confirm === true ? { confirm: 'operator' } : {}),
    ...(rateLimit === undefined ? {} : { rateLimits: [{ limit: rateLimit, per: 'caller' }] }),
  }
}

function omitOff(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, field]) => field !== undefined && field !== false),
  )
}

function weigh(pattern: string): number {
  const literals = pattern.replaceAll('*', '').length
  return pattern.includes('*') ? literals : Number.POSITIVE_INFINITY
}
