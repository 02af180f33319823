import type { StopSignal } from '../../core/cancellation.ts'
import { type Clock, systemClock } from '../../core/clock.ts'

/** Resolves after a pause; rejects with the signal's reason if it aborts before. */
export function pause(delayMs: number, signal: StopSignal, clock: Clock = systemClock): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const abort = () => {
      timer.cancel()
      reject(signal.reason)
    }
    const timer = clock.setTimer(() => {
      signal.removeEventListener('abort', abort)
      resolve()
    }, delayMs)
    signal.addEventListener('abort', abort, { once: true })
  })
}
