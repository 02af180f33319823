import type { Staleness } from '../../core/catalog.ts'
import type { Clock, Timer } from '../../core/clock.ts'

/** A connection that is back within this time changes no list (R6). */
const toleranceMs = 2_000

/** Whether what a connection offers is only remembered. */
export class StaleMark {
  readonly #clock: Clock
  readonly #onChange: () => void
  #stale: Staleness | undefined
  #timer: Timer | undefined
  /** Why it is not up shows only when its first attempt has failed. */
  #isStarting = false

  constructor(clock: Clock, onChange: () => void) {
    this.#clock = clock
    this.#onChange = onChange
  }

  get isStarting(): boolean {
    return this.#isStarting
  }

  get stale(): Staleness | undefined {
    return this.#stale
  }

  /**
   * It is not up, as of wall-clock time `sinceMs`. The mark comes after a while, and stays as it is until the connection
   * is up: one that fails for another reason at every attempt would change the lists each time.
   */
  set(cause: () => string, sinceMs: number): void {
    if (this.#stale !== undefined && this.#isStarting) {
      this.#isStarting = false
      this.#mark(cause(), this.#stale.since)
    }
    if (this.#stale !== undefined || this.#timer !== undefined) return
    this.#timer = this.#clock.setTimer(
      () => this.#mark(cause(), new Date(sinceMs).toISOString()),
      toleranceMs,
    )
  }

  /** It is starting for the first time: all that there is was remembered, last seen at wall-clock time `seenMs`. */
  setStarting(seenMs: number): void {
    this.#isStarting = true
    this.#mark('It is starting.', new Date(seenMs).toISOString())
  }

  #mark(cause: string, since: string): void {
    this.#stale = { since, cause }
    this.#onChange()
  }

  /** It is up. True where the mark was set. */
  clear(): boolean {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#isStarting = false
    const wasStale = this.#stale !== undefined
    this.#stale = undefined
    return wasStale
  }
}
