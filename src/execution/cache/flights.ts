import type { StopSignal } from '../../core/cancellation.ts'
import type { Outcome } from '../../core/outcome.ts'
import { type CacheKey, idOfKey } from './cache-key.ts'

/** Runs that others may wait for; beyond, calls run each for itself. */
const flightsMax = 10_000

/** How a run ended: `again` where its own caller left, `alone` where the answer is for nobody else. */
export type Landing = { readonly outcome: Outcome } | { readonly thrown: unknown } | 'again' | 'alone'

/** One run that others wait for. */
export interface Flight {
  /** Whether what it answers may have been wrong before it answers. */
  readonly isOutdated: boolean
  readonly landed: Promise<Landing>
  land(landing: Landing): void
}

/** Runs of one key at a time: who asks while one is under way gets its answer (B-69). */
export class Flights {
  readonly #max: number
  readonly #flights = new Map<CacheKey, OpenFlight>()

  constructor(max = flightsMax) {
    this.#max = max
  }

  find(key: CacheKey): Flight | undefined {
    return this.#flights.get(key)
  }

  /** `undefined` where there are too many. */
  start(key: CacheKey): Flight | undefined {
    if (this.#flights.size >= this.#max) return undefined
    const flight = new OpenFlight(() => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
    })
    this.#flights.set(key, flight)
    return flight
  }

  /** Nobody joins these any more, and what they answer is not kept: they may have read what has been changed since. */
  forget(matches: (id: string) => boolean): void {
    for (const [key, flight] of this.#flights) {
      if (!matches(idOfKey(key))) continue
      flight.isOutdated = true
      this.#flights.delete(key)
    }
  }
}

class OpenFlight implements Flight {
  isOutdated = false
  readonly landed: Promise<Landing>
  readonly #end: () => void
  #resolve!: (landing: Landing) => void

  constructor(end: () => void) {
    this.#end = end
    this.landed = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  land(landing: Landing): void {
    this.#end()
    this.#resolve(landing)
  }
}

/** The same, or a rejection with the reason once `stop` says so. */
export function waitUnlessStopped(landed: Promise<Landing>, stop: StopSignal): Promise<Landing> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(stop.reason)
    if (stop.aborted) return leave()
    stop.addEventListener('abort', leave)
    landed.then((landing) => {
      stop.removeEventListener('abort', leave)
      resolve(landing)
    })
  })
}
