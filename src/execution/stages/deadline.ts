import type { Clock } from '../../core/clock.ts'
import { WeirError } from '../../core/error.ts'
import type { Stage } from '../../core/policy.ts'

/** Bounds the whole call: at the deadline the caller is answered and the work behind it is told to stop (R12). */
export function createDeadlineStage(clock: Clock): Stage {
  return {
    name: 'deadline',
    wrap: (entry, policy, next) => (call) =>
      new Promise((resolve, reject) => {
        const { cancellation } = call
        cancellation.tightenDeadline(clock.monotonicMs() + policy.timeoutMs)
        const timer = clock.setTimer(() => {
          const error = new WeirError(
            'DEADLINE_EXCEEDED',
            `${entry.id} did not answer within ${policy.timeoutMs} ms.`,
            { hint: 'Ask for less, or raise the timeout in the tool’s policy.' },
          )
          cancellation.cancel(error)
          reject(error)
        }, policy.timeoutMs)
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
