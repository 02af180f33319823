/** Time, so that tests can hold it. Waits and deadlines use `monotonicMs`; only what people read uses `now`. */
export interface Clock {
  /** Wall-clock time, milliseconds since 1970. Jumps when the machine's clock is set. */
  now(): number
  /** Milliseconds from an arbitrary start. Never jumps. */
  monotonicMs(): number
  /** Calls back once after `delayMs`. Does not keep the process alive. */
  setTimer(callback: () => void, delayMs: number): Timer
}

/** A timer that has been set. Cancelling it twice, or after it fired, is safe. */
export interface Timer {
  cancel(): void
}

class NodeTimer implements Timer {
  readonly #timeout: NodeJS.Timeout
  constructor(callback: () => void, delayMs: number) {
    this.#timeout = setTimeout(callback, delayMs)
    this.#timeout.unref()
  }
  cancel(): void {
    clearTimeout(this.#timeout)
  }
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer: (callback, delayMs) => new NodeTimer(callback, delayMs),
}
