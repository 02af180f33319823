import type { Caller } from '../../core/caller.ts'
import type { Entry } from '../../core/catalog.ts'
import { WeirError } from '../../core/error.ts'
import type { Standing } from '../../core/limit.ts'
import type { RateRule } from '../../core/policy.ts'

/** One token of one bucket, and what bucket it is: a token comes back every `intervalMs`, and `burst` fit into it. */
export interface Quota {
  readonly key: string
  readonly intervalMs: number
  readonly burst: number
  /** The limit as the configuration has it, for messages. */
  readonly rule: RateRule
}

/** What came of asking for one token of each of some buckets: all of them, or none. */
export interface Verdict {
  readonly isTaken: boolean
  /** Until all buckets have a token if nobody else takes one; 0 where they had. */
  readonly waitMs: number
  /** The bucket that decided: the one that is refilled last, or that has the least left. */
  readonly quota: Quota
  readonly standing: Standing
  /** Whether every bucket that had no token is one that calls may wait for. */
  readonly canWait: boolean
}

const unitMs = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 }

/** So small a part of a token is given for rounding; it never adds up, since what is kept is a moment. */
const slackParts = 1_000

/**
 * Buckets are kept as the moment at which they will be full: `aheadMs` is how far ahead that is. One number that is
 * right for ever, so that a bucket which is full can be forgotten, and nothing has to refill it.
 */
export function judge(quotas: readonly Quota[], aheadMs: readonly number[]): Verdict {
  let waitMs = 0
  let canWait = true
  let late = 0
  let least = 0
  let leastTokens = Number.POSITIVE_INFINITY
  for (let i = 0; i < quotas.length; i += 1) {
    const { intervalMs, burst, rule } = quotas[i]!
    const missingMs = aheadMs[i]! + intervalMs - burst * intervalMs
    const tokens = burst - aheadMs[i]! / intervalMs
    if (missingMs > intervalMs / slackParts) {
      if (rule.waits !== true) canWait = false
      if (missingMs > waitMs) {
        waitMs = missingMs
        late = i
      }
    }
    if (tokens < leastTokens) {
      leastTokens = tokens
      least = i
    }
  }
  const isTaken = waitMs === 0
  const at = isTaken ? least : late
  return { isTaken, waitMs, quota: quotas[at]!, standing: stand(quotas[at]!, aheadMs[at]!, isTaken), canWait }
}

function stand({ intervalMs, burst }: Quota, aheadMs: number, isTaken: boolean): Standing {
  const resetMs = isTaken ? aheadMs + intervalMs : aheadMs
  const remaining = Math.max(0, Math.floor(burst - resetMs / intervalMs + 1 / slackParts))
  return { limit: burst, remaining, resetMs }
}

/** What a call by `caller` takes from. Made once a target: only buckets of each caller's own are spelled call by call. */
export function createQuotas(rules: readonly RateRule[], entry: Entry): (caller: Caller) => readonly Quota[] {
  const makers = rules.filter((rule) => counts(rule, entry)).map((rule) => createMaker(rule, entry))
  // The same limit written twice is one bucket, and takes one token.
  const unique = makers.filter(({ key }, at) => makers.findIndex((other) => other.key === key) === at)
  if (unique.every(({ fixed }) => fixed !== undefined)) {
    const all = unique.map(({ fixed }) => fixed!)
    return () => all
  }
  return (caller) => unique.map(({ fixed, make }) => fixed ?? make(caller))
}

/** Asking about a task, or for the values of an argument, is no use of the tool; it is work for the connection. */
function counts({ per }: RateRule, { target }: Entry): boolean {
  if (per === 'connection' || per === 'all') return true
  return target.kind !== 'task-control' && target.kind !== 'completion'
}

function createMaker(rule: RateRule, { id, connection }: Entry) {
  const scope = { caller: id, tool: id, connection, all: '' }[rule.per]
  const key = `${rule.per}:${rule.limit}:${rule.burst ?? ''}:${scope}`
  const quota = readQuota(rule, key)
  const make = (caller: Caller): Quota => ({ ...quota, key: keyOfCaller(key, caller) })
  return { key, fixed: rule.per === 'caller' ? undefined : quota, make }
}

/** A caller’s own bucket. The lengths keep two callers apart whose names run into each other. */
export function keyOfCaller(key: string, { tenant, subject }: Caller): string {
  return `${tenant.length}:${tenant}:${subject.length}:${subject}:${key}`
}

/** `10/hour` as numbers. Throws for what is none: a tool’s own declaration has passed no schema. */
export function readQuota(rule: RateRule, key: string): Quota {
  const [count, unit] = rule.limit.split('/') as [string, keyof typeof unitMs]
  const intervalMs = unitMs[unit] / Number(count)
  if (!(intervalMs > 0 && Number.isFinite(intervalMs))) {
    throw new WeirError('CONFIG_INVALID', `${JSON.stringify(rule.limit)} is no limit.`, {
      hint: 'A limit is a number and a unit: 10/second, 10/minute, 10/hour, 10/day.',
    })
  }
  return { key, intervalMs, burst: rule.burst ?? Math.max(1, Number(count)), rule }
}
