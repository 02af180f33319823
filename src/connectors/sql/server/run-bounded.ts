import type { Patience } from '../dialect.ts'
import { statementTooLate } from './server-error.ts'
import { watchPatience } from './watch-patience.ts'

/** How a piece of work is bounded. */
export interface Bounds {
  readonly alias: string
  readonly patience: Patience
  /** Longest time, in milliseconds, beside the caller's own deadline. */
  readonly limitMs: number
  /** Stops the work; its own outcome is then nobody's any more. */
  abandon(): void
}

/**
 * Waits for work until the caller leaves or the time is over, whichever comes first; then the work is abandoned, and
 * this rejects at once with the caller's reason or DEADLINE_EXCEEDED.
 */
export function runBounded<T>({ alias, patience, limitMs, abandon }: Bounds, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const watch = watchPatience(patience, limitMs, (reason, waitedMs) => {
      abandon()
      reject(reason ?? statementTooLate(alias, waitedMs))
    })
    work.then(resolve, reject).finally(() => watch.end())
  })
}
