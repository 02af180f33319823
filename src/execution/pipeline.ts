import type { Run } from '../core/call.ts'
import type { Entry } from '../core/catalog.ts'
import type { Clock } from '../core/clock.ts'
import type { Policy, Stage } from '../core/policy.ts'
import type { Tracer } from '../core/trace.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { type Circuits, createCircuits } from './circuits.ts'
import { type AuditStageOptions, createAuditIntentStage, createAuditStage } from './stages/audit.ts'
import { createBulkheadStage } from './stages/bulkhead.ts'
import { createCircuitBreakerStage } from './stages/circuit-breaker.ts'
import { createDeadlineStage } from './stages/deadline.ts'
import { createFallbackStage, type StaleAnswers } from './stages/fallback.ts'
import { createLogStage } from './stages/log-call.ts'
import { createMeasureStage } from './stages/measure.ts'
import { permissionStage } from './stages/permission.ts'
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
  /** Absent: no audit is kept. */
  readonly audit?: AuditStageOptions | undefined
}

/**
 * The stages, outermost first. Traces, counts and the log stand outside everything, so that refusals and timeouts are
 * seen too, and so does the audit: it notes down every call, also one that is refused. Who may not is refused before
 * anything of the target is looked at, so that strangers learn no schema. The deadline bounds all that follows;
 * validation stands before whatever may run a tool or answer in its place, so that nothing but a checked input ever
 * reaches one. The audit’s inner half stands inside whatever answers in the tool’s place, and outside whatever runs the
 * tool more than once: what changes something is sent only once it is durable that it will be.
 */
export function createStages(parts: PipelineParts): readonly Stage[] {
  const { log, metrics, clock, tracer, audit, stale } = parts
  const { circuits = createCircuits(parts), random = Math.random } = parts
  return [
    createTraceStage(tracer),
    createMeasureStage(metrics, clock),
    createLogStage(log, clock),
    ...(audit === undefined ? [] : [createAuditStage(audit)]),
    permissionStage,
    createDeadlineStage(clock),
    validateStage,
    createFallbackStage({ log, metrics, stale }),
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
