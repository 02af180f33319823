import type { Disposable } from '../../core/catalog.ts'
import type { Clock } from '../../core/clock.ts'
import { startRhythm } from './rhythm.ts'
import type { Uptime } from './uptime.ts'

const checkEveryMs = 30_000
/** While it is in doubt, the truth is wanted sooner. */
const checkAgainMs = 5_000
const checkLimitMs = 10_000
/** Discovery's own interval and time limit (D4-030). */
const readEveryMs = 300_000
const readLimitMs = 10_000

/** What watches over a connection, and who hears of it. */
export interface HealthOptions {
  readonly clock: Clock
  readonly random: () => number
  /** Called after each check, and where calls were answered instead of one. Neither may throw. */
  readonly onHealthy: () => void
  /** `failures`: how many checks in a row have failed, this one included. */
  readonly onUnhealthy: (failure: unknown, failures: number) => void
  /** Whether nothing has shown yet that the system answers: it is then asked at once. */
  readonly isUnproven?: boolean
}

/** Asks a connection from time to time whether it is well, where no call has shown it meanwhile. */
export function watchHealth(uptime: Uptime, options: HealthOptions): Disposable {
  const { clock, random, onHealthy, onUnhealthy, isUnproven = false } = options
  let failures = 0
  let answersSeen = uptime.answers
  return startRhythm({
    ...{ clock, random, limitMs: checkLimitMs, isPrompt: isUnproven },
    everyMs: () => (failures === 0 ? checkEveryMs : checkAgainMs),
    async work(signal) {
      if (uptime.answers > answersSeen) return
      await uptime.connection.check(signal)
      uptime.answers += 1
    },
    onEnd(failure) {
      failures = failure === undefined || uptime.answers > answersSeen ? 0 : failures + 1
      answersSeen = uptime.answers
      if (failures === 0) onHealthy()
      else onUnhealthy(failure, failures)
    },
  })
}

/** Has a connection read again what it offers, for systems that do not tell when that changes (D4-030, B-131). */
export function readRegularly(
  uptime: Uptime,
  options: Pick<HealthOptions, 'clock' | 'random'>,
): Disposable | undefined {
  const { connection } = uptime
  if (connection.refresh === undefined) return undefined
  return startRhythm({
    ...options,
    limitMs: readLimitMs,
    everyMs: () => readEveryMs,
    work: async (signal) => connection.refresh?.(signal),
    // What was known stays; whether the connection is well is for its checks to say.
    onEnd: () => {},
  })
}

/** Calls back when a connection has had no call for a while. Each look comes a whole pause after the last. */
export function watchIdleness(
  uptime: Uptime,
  idleMs: number,
  options: Pick<HealthOptions, 'clock'> & { readonly onIdle: () => void },
): Disposable {
  let callsSeen = uptime.calls
  return startRhythm({
    ...{ clock: options.clock, random: () => 1, everyMs: () => idleMs, limitMs: idleMs },
    work: async () => {},
    onEnd() {
      if (uptime.calls === callsSeen && uptime.underWay === 0) options.onIdle()
      callsSeen = uptime.calls
    },
  })
}
