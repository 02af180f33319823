import type { Run } from '../core/call.ts'
import type { Entry } from '../core/catalog.ts'
import type { Clock } from '../core/clock.ts'
import type { Policy, Stage } from '../core/policy.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { AnswerCache } from './cache/answer-cache.ts'
import { LocalBuckets } from './limits/local-buckets.ts'
import { createSharedBuckets } from './limits/shared-buckets.ts'
import type { RedisLink } from './redis/redis-link.ts'
import { createCacheStage } from './stages/cache.ts'
import { createDeadlineStage } from './stages/deadline.ts'
import { createLogStage } from './stages/log-call.ts'
import { createMeasureStage } from './stages/measure.ts'
import { createRateLimitStage } from './stages/rate-limit.ts'
import { validateStage } from './stages/validate.ts'

/** What the stages write to and read from. */
export interface PipelineParts {
  readonly log: Log
  readonly metrics: Metrics
  readonly clock: Clock
  /** What several processes share; absent: each has its own. */
  readonly redis?: RedisLink
}

/**
 * The stages, outermost first. Counting and logging stand outside everything, so that refusals and timeouts are seen
 * too; the deadline bounds all that follows, the wait for a token included; validation comes last before the tool, so that nothing but a checked
 * input ever reaches one.
 */
export function createStages({ log, metrics, clock, redis }: PipelineParts): readonly Stage[] {
  const own = new LocalBuckets(clock)
  const limiter = redis === undefined ? own : createSharedBuckets(redis, own, log)
  return [
    createMeasureStage(metrics, clock),
    createLogStage(log, clock),
    createDeadlineStage(clock),
    createRateLimitStage({ limiter, clock, metrics }),
    createCacheStage(new AnswerCache({ clock, log, metrics, ...(redis && { redis }) })),
    validateStage,
  ]
}

/** Wraps `run` in every stage that has something to do for this target. */
export function composeStages(stages: readonly Stage[], entry: Entry, policy: Policy, run: Run): Run {
  return stages.reduceRight((next, stage) => stage.wrap(entry, policy, next), run)
}
