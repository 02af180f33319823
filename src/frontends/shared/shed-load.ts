import type { Clock, Timer } from '../../core/clock.ts'
import { WeirError } from '../../core/error.ts'

/** What is looked at to know whether Weir has more to do than it can. */
export interface LoadParts {
  readonly clock: Clock
  readonly callsInFlight: () => number
  readonly callsMax: number
}

/** Says before a request is read whether it is too much (R11). */
export interface LoadShedding {
  /** The refusal; undefined while there is room. */
  refuse(): WeirError | undefined
  close(): void
}

/**
 * A timer that fires this late, time after time, shows that the event loop does not come round: whatever is taken in
 * then is answered too late for anybody to wait for. Once alone is a pause, as for the collection of garbage; and with
 * few calls it is the machine that is busy, which refusing them would not change.
 */
const lag = { everyMs: 100, limitMs: 500, times: 4, callsMin: 16 }
const retryAfterMs = 1_000

/** Measures the event loop from now on. */
export function createLoadShedding({ clock, callsInFlight, callsMax }: LoadParts): LoadShedding {
  let lateTimes = 0
  let timer: Timer
  const measure = (dueMs: number) => {
    const isLate = clock.monotonicMs() - dueMs >= lag.limitMs
    lateTimes = isLate ? lateTimes + 1 : 0
    schedule()
  }
  const schedule = () => {
    const dueMs = clock.monotonicMs() + lag.everyMs
    timer = clock.setTimer(() => measure(dueMs), lag.everyMs)
  }
  schedule()
  return {
    refuse() {
      const calls = callsInFlight()
      if (calls >= callsMax) return tooMuch(`Weir runs ${callsMax} calls already.`)
      return lateTimes >= lag.times && calls >= lag.callsMin
        ? tooMuch('Weir is busier than it can bear.')
        : undefined
    },
    close: () => timer.cancel(),
  }
}

function tooMuch(message: string): WeirError {
  return new WeirError('OVERLOADED', message, {
    hint: 'Try again in a moment.',
    data: { retryAfterMs, sent: false },
  })
}
