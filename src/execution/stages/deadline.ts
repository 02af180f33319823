import type { Clock } from '../../core/clock.ts'
import { WeirError } from '../../core/error.ts'
import type { Stage } from '../../core/policy.ts'

/**
 * Bounds the whole call: at the deadline the caller is answered and the work behind it is told to stop (R12). A
 * deadline that came with the call, from a caller with less time, counts where it is earlier than the policy's.
 */
export function createDeadlineStage(clock: Clock): Stage {
  return {
    name: 'deadline',
    wrap: (entry, policy, next) => (call) =>
      new Promise((resolve, reject) => {
        const { cancellation } = call
        const nowMs = clock.monotonicMs()
        cancellation.tightenDeadline(nowMs + policy.timeoutMs)
        const givenMs = Math.max(0, cancellation.deadlineMs - nowMs)
        const strike = () => {
          const leftMs = cancellation.leftMs(clock.monotonicMs())
          // It stands still, or did: a call that waits for a person cannot be late before so much more has passed.
          if (cancellation.isPaused || leftMs >= 1) {
            timer = clock.setTimer(strike, Math.max(leftMs, rearmMs))
            return
          }
          const error = tooLate(entry.id, givenMs)
          cancellation.cancel(error)
          reject(error)
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
      }),
  }
}

/** A call that was about to be late when it was paused must not keep the timer spinning. */
const rearmMs = 20

function tooLate(id: string, givenMs: number): WeirError {
  return new WeirError('DEADLINE_EXCEEDED', `${id} did not answer within ${Math.round(givenMs)} ms.`, {
    hint: 'Ask for less, or raise the timeout in the tool’s policy.',
  })
}
