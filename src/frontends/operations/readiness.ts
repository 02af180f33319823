import type { Clock } from '../../core/clock.ts'

/** Whoever was asked for less than this long ago is still watched. */
const watchedMs = 30_000
/** Balancers take somebody out after one or two refusals. */
const toldMin = 2
/** Calls that were sent before the refusal arrived have arrived by then. */
const quietMs = 300
const lookEveryMs = 50

/** Where orchestrators and balancers ask. */
export const readyRoute = '/readyz'

/** Whether Weir takes calls, and who knows that it will not for much longer (R13). */
export interface Readiness {
  readonly isServing: boolean
  /** Somebody asks; gives the same as `isServing`, which they know now. */
  ask(): boolean
  /** A request comes; gives the same. Those of `ask` are no calls. */
  meet(route: string | undefined): boolean
  /**
   * Takes no more calls from now on, so it says. Resolves when those who ask have been told and send none any more, at
   * once where nobody has asked lately, and after `limitMs` at the latest. Calls that still come are served until then.
   */
  announceStop(limitMs: number): Promise<void>
}

/** Begins with taking calls. */
export function createReadiness(clock: Clock): Readiness {
  let isServing = true
  let askedMs = Number.NEGATIVE_INFINITY
  let told = 0
  let metMs = 0
  return {
    get isServing() {
      return isServing
    },
    ask() {
      askedMs = clock.monotonicMs()
      if (!isServing) told += 1
      return isServing
    },
    meet(route) {
      if (!isServing && route !== readyRoute) metMs = clock.monotonicMs()
      return isServing
    },
    announceStop(limitMs) {
      isServing = false
      const startMs = clock.monotonicMs()
      if (limitMs === 0 || startMs - askedMs > watchedMs) return Promise.resolve()
      metMs = startMs
      return new Promise((resolve) => {
        const look = () => {
          const nowMs = clock.monotonicMs()
          const isKnown = told >= toldMin && nowMs - metMs >= quietMs
          if (isKnown || nowMs - startMs >= limitMs) resolve()
          else clock.setTimer(look, lookEveryMs)
        }
        look()
      })
    },
  }
}
