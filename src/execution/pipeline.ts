import type { Run } from '../core/call.ts'
import type { Entry } from '../core/catalog.ts'
import type { Clock } from '../core/clock.ts'
import type { IdempotencyStore } from '../core/idempotency.ts'
import type { Policy, Stage } from '../core/policy.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { ApprovalDesk } from './approvals/approval-desk.ts'
import { createConfirmStage } from './stages/confirm.ts'
import { createDeadlineStage } from './stages/deadline.ts'
import { createIdempotencyStage } from './stages/idempotency.ts'
import { createLogStage } from './stages/log-call.ts'
import { createMeasureStage } from './stages/measure.ts'
import { validateStage } from './stages/validate.ts'

/** What the stages write to and read from. */
export interface PipelineParts {
  readonly log: Log
  readonly metrics: Metrics
  readonly clock: Clock
  readonly desk: ApprovalDesk
  readonly idempotency: IdempotencyStore
  /** How long a call may wait for approval. */
  readonly holdMs: number
  /** Covers the secrets of the configuration. */
  readonly redact: (text: string) => string
}

/**
 * The stages, outermost first. Counting and logging stand outside everything, so that refusals and timeouts are seen
 * too; the deadline bounds all that follows, and stands still while a person decides; validation precedes confirmation,
 * so that nobody is asked about arguments that could never run; a key that is known is answered before anybody is asked
 * again, and a call that waits for approval gives its key back.
 */
export function createStages(parts: PipelineParts): readonly Stage[] {
  const { log, metrics, clock, desk, idempotency, holdMs, redact } = parts
  return [
    createMeasureStage(metrics, clock),
    createLogStage(log, clock),
    createDeadlineStage(clock),
    validateStage,
    createIdempotencyStage({ store: idempotency, clock, log, holdMs }),
    createConfirmStage({ desk, clock, redact }),
  ]
}

/** Wraps `run` in every stage that has something to do for this target. */
export function composeStages(stages: readonly Stage[], entry: Entry, policy: Policy, run: Run): Run {
  return stages.reduceRight((next, stage) => stage.wrap(entry, policy, next), run)
}
