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
        const leftMs = Math.max(0, cancellation.deadlineMs - nowMs)
        const timer = clock.setTimer(() => {
          const error = new WeirError(
            'DEADLINE_EXCEEDED',
            `${entry.id} did not answer within ${Math.round(leftMs)} ms.`,
            { hint: 'Ask for less, or raise the timeout in the tool’s policy.' },
          )
          cancellation.cancel(error)
          reject(error)
        }, leftMs)
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
