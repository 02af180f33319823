import type { Clock } from '../../core/clock.ts'
import type { Connection } from '../../core/connector.ts'
import { WeirError } from '../../core/error.ts'

/** One attempt to open a connection. */
export interface Attempt {
  readonly clock: Clock
  readonly limitMs: number
  /** Aborts when the attempt is given up. */
  readonly abort: AbortController
  readonly open: (signal: AbortSignal) => Promise<Connection>
  /** Gets what opens after it was given up. */
  readonly release: (late: Connection) => void
}

/** Opens within a time limit. A connection that comes after its time, or after the attempt was aborted, is released. */
export function openWithin({ clock, limitMs, abort, open, release }: Attempt): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(() => {
      const late = new WeirError('CONNECTION_UNAVAILABLE', `It did not open within ${limitMs} ms.`)
      abort.abort(late)
      reject(late)
    }, limitMs)
    callAsync(() => open(abort.signal)).then(
      (opened) => {
        timer.cancel()
        if (!abort.signal.aborted) return resolve(opened)
        release(opened)
        reject(abort.signal.reason)
      },
      (thrown) => {
        timer.cancel()
        reject(thrown)
      },
    )
  })
}

/** What a function throws at once rejects like what it throws later. */
export async function callAsync<T>(run: () => Promise<T>): Promise<T> {
  return run()
}

/** Whether the promise, which never rejects, ends in time. */
export function endsWithin(clock: Clock, promise: Promise<unknown>, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(() => resolve(false), limitMs)
    void promise.then(() => {
      timer.cancel()
      resolve(true)
    })
  })
}
