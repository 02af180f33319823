import type { StopSignal } from '../../core/cancellation.ts'

/** Gives up waiting for work that goes on for others, when the signal aborts. */
export function abandonOn<T>(signal: StopSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
}
