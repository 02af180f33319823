import type { StopSignal } from '../../../core/cancellation.ts'

/** Rejects with the signal's reason as soon as it aborts, whatever the work is about: the SDK looks at a signal only while a request is under way. */
export function abandonOn<T>(signal: StopSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abandon = () => reject(signal.reason)
    signal.addEventListener('abort', abandon, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abandon))
  })
}
