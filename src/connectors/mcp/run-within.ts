import { Cancellation } from '../../core/cancellation.ts'
import { systemClock } from '../../core/clock.ts'
import { toWeirError, WeirError } from '../../core/error.ts'

/** Runs work under a signal that aborts with the given one, or with UPSTREAM_TIMEOUT when the time is over. */
export async function runWithin<T>(
  timeoutMs: number,
  signal: AbortSignal,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const cancellation = new Cancellation()
  const abort = () => cancellation.cancel(toWeirError(signal.reason))
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  const timer = systemClock.setTimer(() => {
    const message = `The MCP server did not answer ${what} within ${timeoutMs} ms.`
    cancellation.cancel(new WeirError('UPSTREAM_TIMEOUT', message, { data: { timeoutMs } }))
  }, timeoutMs)
  try {
    return await work(cancellation.signal)
  } finally {
    timer.cancel()
    signal.removeEventListener('abort', abort)
  }
}
