import type { Call, Run } from '../../core/call.ts'
import type { Clock } from '../../core/clock.ts'
import { type ErrorCode, toWeirError, type WeirError, wasNotSent } from '../../core/error.ts'
import { faultOf, type Outcome } from '../../core/outcome.ts'
import type { RetryRule, Stage } from '../../core/policy.ts'
import type { Target } from '../../core/tool.ts'
import type { Log } from '../../telemetry/log.ts'
import { pause } from '../pause.ts'
import { createPerConnection } from '../per-connection.ts'
import { RetryBudget } from '../retry-budget.ts'

interface RetryParts {
  readonly clock: Clock
  readonly log: Log
  /** From 0 to 1, as Math.random. */
  readonly random: () => number
}

interface TargetParts extends RetryParts {
  readonly rule: RetryRule
  readonly budget: RetryBudget
  readonly next: Run
  readonly id: string
  readonly isRepeatable: boolean
}

/** How an attempt ended badly: thrown, or answered with a result whose system is at fault. */
interface Failure {
  readonly error: WeirError
  /** What the caller gets where it stays at that. */
  end(): Outcome
}

/**
 * The one owner of retries (B-73). A failure that may pass is tried again (C-06) where a second run does no harm: the
 * target only reads or twice is once, or its connection vouches that nothing was sent (R3). Within the call's deadline,
 * and within what the connection bears (R9).
 */
export function createRetryStage(parts: RetryParts): Stage {
  const budgets = createPerConnection(() => new RetryBudget())
  return {
    name: 'retry',
    wrap({ id, connection, target }, { retry: rule }, next) {
      // What a person waits for while typing, and what follows a task, is asked again by whoever asks.
      if (rule === undefined || target.kind === 'completion' || target.kind === 'task-control') return next
      const budget = budgets.of(connection)
      const retry = new Retry({ ...parts, rule, budget, next, id, isRepeatable: isRepeatable(target) })
      return (call) => {
        budget.countCall(parts.clock.monotonicMs())
        return next(call).then(
          (outcome) => {
            const error = readFault(outcome)
            return error === undefined ? outcome : retry.goOn(call, { error, end: () => outcome })
          },
          (thrown) => retry.goOn(call, readThrown(thrown)),
        )
      }
    },
  }
}

function isRepeatable({ effect, isOneUse }: Target): boolean {
  return (effect === 'read' || effect === 'idempotent-write') && isOneUse !== true
}

/**
 * Failures of which each has its own cure: the breaker's own refusal, a connection that waits for its system and tries
 * again by itself, and time that is over.
 */
const ownCure: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CIRCUIT_OPEN',
  'CONNECTION_UNAVAILABLE',
  'DEADLINE_EXCEEDED',
])

/** Everything about the retries of one target. */
class Retry {
  readonly #parts: TargetParts

  constructor(parts: TargetParts) {
    this.#parts = parts
  }

  /** Takes over once the first attempt has failed. */
  async goOn(call: Call, first: Failure): Promise<Outcome> {
    const { rule, log, id, clock, next } = this.#parts
    let failure = first
    for (let attempt = 1; this.#mayPass(call, failure.error); attempt += 1) {
      const delayMs = this.#delayMs(attempt, failure.error)
      const why = this.#refusal(call, attempt, delayMs)
      const fields = { func: id, call: call.id, error: failure.error.message }
      if (why !== undefined) {
        log.info({ event: 'retry_exhausted', ...fields, attempts: attempt, why }, 'A call is given up.')
        break
      }
      log.info(
        {
          event: 'retry_attempt',
          ...fields,
          attempt: attempt + 1,
          max_attempts: rule.attemptsMax,
          delay: delayMs / 1_000,
        },
        'A call is tried again.',
      )
      // So far nothing was sent, or twice is once.
      call.cancellation.isDispatched = false
      await pause(clock, delayMs, call.cancellation)
      const ended = await next(call).then(readEnd, readThrown)
      if (ended.error === undefined) {
        log.info({ event: 'retry_success', func: id, call: call.id, attempt: attempt + 1 }, 'It helped.')
        return ended.end()
      }
      failure = ended
    }
    return failure.end()
  }

  #mayPass({ cancellation, answers }: Call, error: WeirError): boolean {
    const { audience, retryable } = error.spec
    if (audience !== 'upstream' || !retryable || ownCure.has(error.code)) return false
    if (cancellation.aborted || answers !== undefined) return false
    return this.#parts.isRepeatable || wasNotSent(error)
  }

  /** D2-060: doubled each time, with jitter; a system that says how long it wants to be left alone is left alone. */
  #delayMs(attempt: number, { data }: WeirError): number {
    const { rule, random } = this.#parts
    const ownMs = Math.min(rule.delayMs * 2 ** (attempt - 1), rule.delayMsMax) * (0.5 + random() / 2)
    const askedMs = data?.['retryAfterMs']
    return typeof askedMs === 'number' ? Math.max(ownMs, askedMs) : ownMs
  }

  #refusal({ cancellation }: Call, attempt: number, delayMs: number): string | undefined {
    const { rule, budget, clock } = this.#parts
    const nowMs = clock.monotonicMs()
    if (attempt >= rule.attemptsMax) return 'attempts'
    if (nowMs + delayMs >= cancellation.deadlineMs) return 'deadline'
    return budget.take(nowMs) ? undefined : 'budget'
  }
}

function readThrown(thrown: unknown): Failure {
  return {
    error: toWeirError(thrown),
    end() {
      throw thrown
    },
  }
}

function readEnd(outcome: Outcome): Failure | { readonly error?: never; end(): Outcome } {
  const error = readFault(outcome)
  return error === undefined ? { end: () => outcome } : { error, end: () => outcome }
}

function readFault(outcome: Outcome): WeirError | undefined {
  return outcome.kind === 'complete' ? faultOf(outcome.result) : undefined
}
