import type { Clock } from '../core/clock.ts'

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /**
   * Moves both kinds of time on, calling every timer that falls due at its own moment, in order. After each, and once
   * more at the end, whatever waits on promises gets to run.
   */
  advance(byMs: number): Promise<void>
  /** Sets the wall clock alone, as an operator does. */
  setNow(now: number): void
  /** When each timer that was neither called nor cancelled falls due, in milliseconds from now, soonest first. */
  readonly pendingMs: readonly number[]
}

interface Pending {
  readonly dueMs: number
  readonly callback: () => void
}

/** Starts at 2026-01-01T00:00:00Z, and at 0 on the monotonic clock. */
export function createFakeClock(): FakeClock {
  let nowMs = Date.UTC(2026, 0, 1)
  let monotonicMs = 0
  const timers = new Set<Pending>()
  const soonest = () => [...timers].sort((a, b) => a.dueMs - b.dueMs)
  const moveTo = (toMs: number) => {
    nowMs += toMs - monotonicMs
    monotonicMs = toMs
  }
  return {
    now: () => nowMs,
    monotonicMs: () => monotonicMs,
    setTimer(callback, delayMs) {
      const timer = { dueMs: monotonicMs + delayMs, callback }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
    async advance(byMs) {
      const endMs = monotonicMs + byMs
      await runPending()
      for (let next = soonest()[0]; next !== undefined && next.dueMs <= endMs; next = soonest()[0]) {
        timers.delete(next)
        moveTo(next.dueMs)
        next.callback()
        await runPending()
      }
      moveTo(endMs)
      await runPending()
    },
    setNow(now) {
      nowMs = now
    },
    get pendingMs() {
      return soonest().map(({ dueMs }) => dueMs - monotonicMs)
    },
  }
}

/** Promises that were already settled have all been acted upon when the event loop comes round again. */
function runPending(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
