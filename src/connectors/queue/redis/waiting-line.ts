import type { StopSignal } from '../../../core/cancellation.ts'
import type { Clock, Timer } from '../../../core/clock.ts'

/** How often a queue that somebody waits at is looked at: other programs tell nobody when they put something there. */
const lookEveryMs = 100

/** What a receiver waits for. `take` rejects when `stop` is aborted, and answers for what it took until then. */
export interface Waiter<T> {
  readonly untilMs: number
  readonly stop: StopSignal
  take(): Promise<readonly T[]>
}

interface Place<T> extends Waiter<T> {
  settle(taken: readonly T[]): void
  fail(thrown: unknown): void
  isTaking: boolean
  isOver: boolean
}

/**
 * Receivers that wait at one queue, served in the order they came, however many there are, with one look at a time. A
 * look that is under way when a receiver's time is up is waited for: what it takes must not be lost.
 */
export class WaitingLine<T> {
  readonly #clock: Clock
  readonly #places: Place<T>[] = []
  #isServing = false
  #isPoked = false
  #wake: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get isEmpty(): boolean {
    return this.#places.length === 0
  }

  /** Something may be there now. */
  poke(): void {
    this.#isPoked = true
    this.#wake?.()
  }

  /** Rejects everybody, as when the broker is closed. */
  clear(reason: Error): void {
    for (const place of [...this.#places]) place.fail(reason)
  }

  /** Resolves with what was taken, or with nothing when the time is up; rejects with the reason of the stop signal. */
  wait(waiter: Waiter<T>): Promise<readonly T[]> {
    return new Promise((resolve, reject) => {
      const leave = (act: () => void) => {
        if (place.isOver) return
        place.isOver = true
        timer.cancel()
        waiter.stop.removeEventListener('abort', onStop)
        const at = this.#places.indexOf(place)
        if (at !== -1) this.#places.splice(at, 1)
        // Nothing is looked for any more, so no timer need stay.
        if (this.isEmpty) this.poke()
        act()
      }
      const place: Place<T> = {
        untilMs: waiter.untilMs,
        stop: waiter.stop,
        take: () => waiter.take(),
        settle: (taken) => leave(() => resolve(taken)),
        fail: (thrown) => leave(() => reject(thrown)),
        isTaking: false,
        isOver: false,
      }
      const unlessTaking = (act: () => void) => () => (place.isTaking ? undefined : act())
      const onStop = unlessTaking(() => place.fail(waiter.stop.reason))
      const leftMs = Math.max(0, waiter.untilMs - this.#clock.monotonicMs())
      const timer: Timer = this.#clock.setTimer(
        unlessTaking(() => place.settle([])),
        leftMs,
      )
      waiter.stop.addEventListener('abort', onStop)
      this.#places.push(place)
      if (!this.#isServing) void this.#serve()
    })
  }

  async #serve(): Promise<void> {
    this.#isServing = true
    while (!this.isEmpty) {
      await this.#pause()
      let isWorthLooking = true
      while (isWorthLooking) {
        const first = this.#places[0]
        isWorthLooking = first !== undefined && (await this.#look(first))
      }
    }
    this.#isServing = false
  }

  /** Whether it is worth looking for the next one in line. */
  async #look(place: Place<T>): Promise<boolean> {
    place.isTaking = true
    try {
      const taken = await place.take()
      const isDone = taken.length > 0 || this.#clock.monotonicMs() >= place.untilMs
      if (isDone) place.settle(taken)
      return taken.length > 0
    } catch (thrown) {
      place.fail(thrown)
      return true
    } finally {
      place.isTaking = false
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        timer.cancel()
        this.#isPoked = false
        this.#wake = undefined
        resolve()
      }
      const timer = this.#clock.setTimer(end, lookEveryMs)
      this.#wake = end
      if (this.#isPoked) end()
    })
  }
}
