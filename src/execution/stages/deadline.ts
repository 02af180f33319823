import type { Clock } from '../../core/clock.ts'
import { WeirError } from '../../core/error.ts'
import type { Stage } from '../../core/policy.ts'
import type { Effect } from '../../core/tool.ts'

/**
 * Bounds the whole call: at the deadline the caller is answered and the work behind it is told to stop (R12). A
 * deadline that came with the call, from a caller with less time, counts where it is earlier than the policy's. It bounds
 * all attempts together; one alone is bounded by its connector's own timeouts.
 */
export function createDeadlineStage(clock: Clock): Stage {
  return {
    name: 'deadline',
    wrap(entry, { timeoutMs, fallback }, next) {
      const hasFallback = fallback !== undefined
      return (call) =>
        new Promise((resolve, reject) => {
          const { cancellation } = call
          const nowMs = clock.monotonicMs()
          cancellation.tightenDeadline(nowMs + timeoutMs)
          const givenMs = Math.max(0, cancellation.deadlineMs - nowMs)
          const strike = () => {
            const leftMs = cancellation.leftMs(clock.monotonicMs())
            // It stands still, or did: a call that waits for a person cannot be late before so much more has passed.
            if (cancellation.isPaused || leftMs >= 1) {
              timer = clock.setTimer(strike, Math.max(leftMs, rearmMs))
              return
            }
            const isUnknown = cancellation.isDispatched && !isRepeatable(entry.target.effect)
            const error = createError(
              `${entry.id} did not answer within ${Math.round(givenMs)} ms`,
              isUnknown,
            )
            cancellation.cancel(error)
            // What stands in for the tool is found at once, and has to come through the stages between.
            if (hasFallback) setImmediate(reject, error)
            else reject(error)
          }
          let timer = clock.setTimer(strike, givenMs)
          next(call).then(
            (outcome) => {
              timer.cancel()
              resolve(outcome)
            },
            (thrown) => {
              timer.cancel()
              reject(thrown)
            },
          )
        })
    },
  }
}

/** A call that was about to be late when it was paused must not keep the timer spinning. */
const rearmMs = 20

function isRepeatable(effect: Effect): boolean {
  return effect === 'read' || effect === 'idempotent-write'
}

/** Nobody is told to repeat a write that may have happened (R2, R3). */
function createError(message: string, isUnknown: boolean): WeirError {
  if (isUnknown) {
    return new WeirError('OUTCOME_UNKNOWN', `${message}, and may or may not have taken effect.`, {
      hint: 'Look whether it happened before you call it again.',
    })
  }
  return new WeirError('DEADLINE_EXCEEDED', `${message}.`, {
    hint: 'Ask for less, or raise the timeout in the tool’s policy.',
  })
}
