import type { Run } from '../core/call.ts'
import type { Entry } from '../core/catalog.ts'
import type { Clock } from '../core/clock.ts'
import type { IdempotencyStore } from '../core/idempotency.ts'
import type { Policy, Stage } from '../core/policy.ts'
import type { Tracer } from '../core/trace.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { ApprovalDesk } from './approvals/approval-desk.ts'
import { AnswerCache } from './cache/answer-cache.ts'
import { createStaleAnswers } from './cache/stale-answers.ts'
import { type Circuits, createCircuits } from './circuits.ts'
import { createIntegrationHealth, type IntegrationHealth } from './integration-health.ts'
import { LocalBuckets } from './limits/local-buckets.ts'
import { createSharedBuckets } from './limits/shared-buckets.ts'
import type { RedisLink } from './redis/redis-link.ts'
import { type AuditStageOptions, createAuditIntentStage, createAuditStage } from './stages/audit.ts'
import { createBulkheadStage } from './stages/bulkhead.ts'
import { createCacheStage } from './stages/cache.ts'
import { createCircuitBreakerStage } from './stages/circuit-breaker.ts'
import { createConfirmStage } from './stages/confirm.ts'
import { createDeadlineStage } from './stages/deadline.ts'
import { createFallbackStage } from './stages/fallback.ts'
import { createIdempotencyStage } from './stages/idempotency.ts'
import { createLogStage } from './stages/log-call.ts'
import { createMeasureStage } from './stages/measure.ts'
import { createHealthStage } from './stages/observe-health.ts'
import { permissionStage } from './stages/permission.ts'
import { createRateLimitStage } from './stages/rate-limit.ts'
import { createRetryStage } from './stages/retry.ts'
import { createTraceStage, traceAttemptStage } from './stages/trace.ts'
import { validateStage } from './stages/validate.ts'

/** What the stages write to and read from. */
export interface PipelineParts {
  readonly log: Log
  readonly metrics: Metrics
  readonly clock: Clock
  /** Absent where nothing is recorded. */
  readonly tracer?: Tracer | undefined
  /** Math.random where absent. */
  readonly random?: () => number
  /** Where somebody wants to read how the circuits stand; else they are the pipeline's own. */
  readonly circuits?: Circuits
  /** The same for the health of connections. */
  readonly health?: IntegrationHealth
  /** Absent: no audit is kept. */
  readonly audit?: AuditStageOptions | undefined
  /** Where calls wait for somebody to agree. */
  readonly desk: ApprovalDesk
  readonly idempotency: IdempotencyStore
  /** How long a call may wait for approval. */
  readonly holdMs: number
  /** Covers the secrets of the configuration. */
  readonly redact: (text: string) => string
  /** What several processes share; absent: each has its own. */
  readonly redis?: RedisLink | undefined
}

/**
 * The stages, outermost first. Traces, counts, the log and health stand outside everything, so that refusals and
 * timeouts are seen too, and so does the audit: it notes down every call, also one that is refused. Who may not is
 * refused before anything of the target is looked at, so that strangers learn no schema. The deadline bounds all that
 * follows, all attempts together, and stands still while a person decides. Validation stands before whatever may run a
 * tool or answer in its place, and runs once, so that nothing but a checked input ever reaches one, and nobody is asked
 * about arguments that could never run. A key that is known is answered before anybody is asked again, and a call that
 * waits for approval gives its key back; collecting one spends no second token of a limit.
 *
 * Fallback stands outside the cache, so that an answer that stands in for a tool's own is never kept. The audit’s
 * inner half stands inside whatever answers in the tool’s place, and outside whatever runs it more than once: what
 * changes something is sent only once it is durable that it will be. Retry wraps the breaker, so that each attempt
 * counts, and one that is refused is not made again. The breaker wraps the bulkhead, so that a call that is refused takes
 * no place, and one that waits for its turn when the circuit opens runs all the same. The bulkhead stands last: only
 * calls that really run hold a place, and none is held while a retry waits.
 */
export function createStages(parts: PipelineParts): readonly Stage[] {
  const { log, metrics, clock, tracer, audit, redis, random = Math.random } = parts
  const { desk, idempotency, holdMs, redact } = parts
  const { circuits = createCircuits(parts), health = createIntegrationHealth(parts) } = parts
  const own = new LocalBuckets(clock)
  const limiter = redis === undefined ? own : createSharedBuckets(redis, own, log)
  const cache = new AnswerCache({ clock, log, metrics, ...(redis && { redis }) })
  return [
    createTraceStage(tracer),
    createMeasureStage(metrics, clock),
    createLogStage(log, clock),
    createHealthStage(health, clock),
    ...(audit === undefined ? [] : [createAuditStage(audit)]),
    permissionStage,
    createDeadlineStage(clock),
    validateStage,
    createIdempotencyStage({ store: idempotency, clock, log, holdMs }),
    createConfirmStage({ desk, clock, redact }),
    createRateLimitStage({ limiter, clock, metrics }),
    createFallbackStage({ log, metrics, stale: createStaleAnswers(cache) }),
    createCacheStage(cache),
    ...(audit === undefined ? [] : [createAuditIntentStage(audit)]),
    createRetryStage({ clock, log, random }),
    createCircuitBreakerStage({ circuits, clock, log }),
    createBulkheadStage({ clock, metrics }),
    ...(tracer === undefined ? [] : [traceAttemptStage]),
  ]
}

/** Wraps `run` in every stage that has something to do for this target. */
export function composeStages(stages: readonly Stage[], entry: Entry, policy: Policy, run: Run): Run {
  return stages.reduceRight((next, stage) => stage.wrap(entry, policy, next), run)
}
