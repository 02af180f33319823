import type { StopSignal } from '../../../core/cancellation.ts'
import { systemClock } from '../../../core/clock.ts'
import type { Patience } from '../dialect.ts'

/** Ends a watch; nothing is called back afterwards. */
export interface Watch {
  end(): void
}

/**
 * Calls back once when the caller leaves, with its reason, or when its deadline or `limitMs` is over, without one but
 * with the milliseconds that passed. At once where it has left already.
 */
export function watchPatience(
  patience: Patience,
  limitMs: number,
  stop: (reason: unknown, waitedMs: number) => void,
): Watch {
  const startedMs = systemClock.monotonicMs()
  const signal = stopSignalOf(patience)
  const elapsedMs = () => Math.round(systemClock.monotonicMs() - startedMs)
  const leave = () => {
    timer.cancel()
    stop(signal.reason, elapsedMs())
  }
  const expire = () => {
    signal.removeEventListener('abort', leave)
    stop(undefined, elapsedMs())
  }
  const leftMs = Math.max(0, Math.min(limitMs, patience.deadlineMs - startedMs))
  const timer = systemClock.setTimer(expire, leftMs)
  if (signal.aborted) queueMicrotask(leave)
  else signal.addEventListener('abort', leave, { once: true })
  return {
    end() {
      timer.cancel()
      signal.removeEventListener('abort', leave)
    },
  }
}

/** A call offers the cheap form of its signal; to make a real one is dear. */
function stopSignalOf(patience: Patience & { readonly stop?: StopSignal }): StopSignal {
  return patience.stop ?? patience.signal
}
