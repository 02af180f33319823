import type { Run } from '../core/call.ts'
import type { Entry } from '../core/catalog.ts'
import type { Clock } from '../core/clock.ts'
import type { Policy, Stage } from '../core/policy.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { createDeadlineStage } from './stages/deadline.ts'
import { createLogStage } from './stages/log-call.ts'
import { createMeasureStage } from './stages/measure.ts'
import { permissionStage } from './stages/permission.ts'
import { validateStage } from './stages/validate.ts'

/** What the stages write to and read from. */
export interface PipelineParts {
  readonly log: Log
  readonly metrics: Metrics
  readonly clock: Clock
}

/**
 * The stages, outermost first. Counting and logging stand outside everything, so that refusals and timeouts are seen
 * too; who may not is refused before anything of the target is looked at; the deadline bounds all that follows; validation comes last before the tool, so that nothing but a checked
 * input ever reaches one.
 */
export function createStages({ log, metrics, clock }: PipelineParts): readonly Stage[] {
  return [
    createMeasureStage(metrics, clock),
    createLogStage(log, clock),
    permissionStage,
    createDeadlineStage(clock),
    validateStage,
  ]
}

/** Wraps `run` in every stage that has something to do for this target. */
export function composeStages(stages: readonly Stage[], entry: Entry, policy: Policy, run: Run): Run {
  return stages.reduceRight((next, stage) => stage.wrap(entry, policy, next), run)
}
