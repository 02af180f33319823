import type { Run } from '../core/call.ts'
import type { Entry } from '../core/catalog.ts'
import type { Clock } from '../core/clock.ts'
import type { Policy, Stage } from '../core/policy.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { type AuditStageOptions, createAuditIntentStage, createAuditStage } from './stages/audit.ts'
import { createDeadlineStage } from './stages/deadline.ts'
import { createLogStage } from './stages/log-call.ts'
import { createMeasureStage } from './stages/measure.ts'
import { validateStage } from './stages/validate.ts'

/** What the stages write to and read from. */
export interface PipelineParts {
  readonly log: Log
  readonly metrics: Metrics
  readonly clock: Clock
  /** Absent: no audit is kept. */
  readonly audit?: AuditStageOptions | undefined
}

/**
 * The stages, outermost first. Counting and logging stand outside everything, so that refusals and timeouts are seen
 * too, and so does the audit: it notes down every call, also one that is refused. The deadline bounds all that follows; validation comes last before the tool, so that nothing but a checked
 * input ever reaches one. The audit’s inner half follows it and is the last: what changes something is sent only once it
 * is durable that it will be, and what was refused before has needed no such record. It belongs inside whatever answers
 * in the tool’s place, and outside whatever runs the tool more than once.
 */
export function createStages({ log, metrics, clock, audit }: PipelineParts): readonly Stage[] {
  return [
    createMeasureStage(metrics, clock),
    createLogStage(log, clock),
    ...(audit === undefined ? [] : [createAuditStage(audit)]),
    createDeadlineStage(clock),
    validateStage,
    ...(audit === undefined ? [] : [createAuditIntentStage(audit)]),
  ]
}

/** Wraps `run` in every stage that has something to do for this target. */
export function composeStages(stages: readonly Stage[], entry: Entry, policy: Policy, run: Run): Run {
  return stages.reduceRight((next, stage) => stage.wrap(entry, policy, next), run)
}
