import type { Clock } from '../../core/clock.ts'
import { toWeirError, type WeirError } from '../../core/error.ts'
import { faultOf, type Outcome } from '../../core/outcome.ts'
import type { Stage } from '../../core/policy.ts'
import type { IntegrationHealth } from '../integration-health.ts'
import { judgeFailure } from '../judge-failure.ts'

/**
 * Counts what becomes of a connection’s calls, all attempts of one together, for its health (D0-110). It stands outside
 * the deadline, so that systems which hang are seen too. What says nothing of the system is not counted: callers that
 * leave or ask wrongly, refusals by Weir, and answers of bad quality, which are counted apart.
 */
export function createHealthStage(health: IntegrationHealth, clock: Clock): Stage {
  return {
    name: 'health',
    wrap({ connection }, _policy, next) {
      const window = health.of(connection)
      return (call) => {
        const startMs = clock.monotonicMs()
        const record = (isSuccess: boolean) =>
          window.record((clock.monotonicMs() - startMs) / 1_000, isSuccess)
        return next(call).then(
          (outcome) => {
            record(isSuccess(outcome))
            return outcome
          },
          (thrown) => {
            const error = call.cancellation.reason ?? toWeirError(thrown)
            if (judgeFailure(error) === 'answer') record(true)
            else if (isFailure(error)) record(false)
            throw thrown
          },
        )
      }
    },
  }
}

/** An answer that stands in for the tool's own is none of the system. */
function isSuccess(outcome: Outcome): boolean {
  if (outcome.kind !== 'complete') return outcome.kind !== 'failed'
  return outcome.degraded === undefined && faultOf(outcome.result) === undefined
}

function isFailure({ code, spec }: WeirError): boolean {
  if (code === 'INTERNAL' || code === 'UPSTREAM_AUTH') return true
  return spec.audience === 'upstream' && code !== 'QUALITY_REJECTED'
}
