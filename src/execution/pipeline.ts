import type { Run } from '../core/call.ts'
import type { Entry } from '../core/catalog.ts'
import type { Clock } from '../core/clock.ts'
import type { Policy, Stage } from '../core/policy.ts'
import type { Tracer } from '../core/trace.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { type Circuits, createCircuits } from './circuits.ts'
import { createBulkheadStage } from './stages/bulkhead.ts'
import { createCircuitBreakerStage } from './stages/circuit-breaker.ts'
import { createDeadlineStage } from './stages/deadline.ts'
import { createFallbackStage, type StaleAnswers } from './stages/fallback.ts'
import { createLogStage } from './stages/log-call.ts'
import { createMeasureStage } from './stages/measure.ts'
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
  /** What a cache has kept beyond its time. */
  readonly stale?: StaleAnswers
}

/**
 * The stages, outermost first. Counting and logging stand outside everything, so that refusals and timeouts are seen
 * too; the deadline bounds all that follows; validation stands before whatever may run a tool or answer in its place,
 * so that nothing but a checked input ever reaches one.
 */
export function createStages(parts: PipelineParts): readonly Stage[] {
  const { log, metrics, clock, tracer, circuits = createCircuits(parts), random = Math.random, stale } = parts
  return [
    createTraceStage(tracer),
    createMeasureStage(metrics, clock),
    createLogStage(log, clock),
    createDeadlineStage(clock),
    validateStage,
    createFallbackStage({ log, metrics, stale }),
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
