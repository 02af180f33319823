import type { Cancellation } from '../core/cancellation.ts'
import type { Clock } from '../core/clock.ts'

/** Waits. Rejects at once, with the reason, where the call is stopped meanwhile or was before. */
export function pause(clock: Clock, delayMs: number, cancellation: Cancellation): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      timer.cancel()
      reject(cancellation.reason)
    }
    const timer = clock.setTimer(() => {
      cancellation.removeEventListener('abort', stop)
      resolve()
    }, delayMs)
    if (cancellation.aborted) stop()
    else cancellation.addEventListener('abort', stop)
  })
}
