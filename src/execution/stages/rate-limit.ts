import type { Call } from '../../core/call.ts'
import type { Cancellation } from '../../core/cancellation.ts'
import type { Clock } from '../../core/clock.ts'
import type { WeirError } from '../../core/error.ts'
import type { Stage } from '../../core/policy.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { createRefusal } from '../limits/create-refusal.ts'
import type { Limiter } from '../limits/limiter.ts'
import { createQuotas, type Quota, type Verdict } from '../limits/quota.ts'
import { WaitingLine } from '../limits/waiting-line.ts'
import { pause } from '../pause.ts'

/** What the stage takes its tokens from, and what it tells. */
export interface RateLimitParts {
  readonly limiter: Limiter
  readonly clock: Clock
  readonly metrics: Metrics
  readonly line?: WaitingLine
}

/**
 * Lets a call through that gets a token of every bucket it is under, and refuses it otherwise, with none taken (C-14).
 * Where the rule says that calls wait, they do so in line, for a token or for the end of their time (B-103).
 */
export function createRateLimitStage({
  limiter,
  clock,
  metrics,
  line = new WaitingLine(),
}: RateLimitParts): Stage {
  return {
    name: 'rate-limit',
    wrap(entry, policy, next) {
      if (policy.rateLimits === undefined) return next
      const quotasOf = createQuotas(policy.rateLimits, entry)
      if (quotasOf(nobody).length === 0) return next
      const help = 'Calls that were refused because a limit was used up.'
      const refused = metrics.counter('weir_rate_limited_total', help, { tool: entry.id })
      const decide = (call: Call, verdict: Verdict) => {
        call.onStanding?.(verdict.standing)
        if (verdict.isTaken) return next(call)
        refused.value += 1
        return Promise.reject<never>(createRefusal(entry.id, verdict) satisfies WeirError)
      }
      if (policy.rateLimits.some(({ waits }) => waits === true)) {
        const takeInLine = createPatientTake(limiter, line, clock)
        return (call) => takeInLine(quotasOf(call.caller), call.cancellation).then((it) => decide(call, it))
      }
      return (call) => {
        const verdict = limiter.take(quotasOf(call.caller))
        return 'then' in verdict ? verdict.then((it) => decide(call, it)) : decide(call, verdict)
      }
    },
  }
}

/** Tells which buckets there are, before anybody calls. */
const nobody = Object.freeze({ subject: '', tenant: '' })

function createPatientTake(limiter: Limiter, line: WaitingLine, clock: Clock) {
  const isWorthIt = (verdict: Verdict, { deadlineMs }: Cancellation) =>
    !verdict.isTaken && verdict.canWait && clock.monotonicMs() + verdict.waitMs < deadlineMs

  return async (quotas: readonly Quota[], cancellation: Cancellation): Promise<Verdict> => {
    // Entries that share the bucket share the line. Whoever comes while others wait has to wait too.
    const { key } = quotas.find(({ rule }) => rule.waits === true) ?? quotas[0]!
    let verdict: Verdict | undefined
    if (line.isEmpty(key)) {
      verdict = await limiter.take(quotas)
      if (!isWorthIt(verdict, cancellation)) return verdict
    }
    const turn = line.join(key, cancellation)
    if (turn === undefined) return verdict ?? limiter.take(quotas)
    const leave = await turn
    try {
      for (;;) {
        verdict = await limiter.take(quotas)
        if (!isWorthIt(verdict, cancellation)) return verdict
        await pause(clock, verdict.waitMs, cancellation)
      }
    } finally {
      leave()
    }
  }
}
