import type { WeirError } from './error.ts'

/**
 * One call's way to be stopped. Cheaper than an AbortController, which costs more than a
 * whole stage: the AbortSignal is made only when somebody asks for it.
 */
export class Cancellation {
  #reason: WeirError | undefined
  #controller: AbortController | undefined
  #deadlineMs = Number.POSITIVE_INFINITY

  /** Why the call was stopped; undefined while it runs. */
  get reason(): WeirError | undefined {
    return this.#reason
  }

  /** Aborts with `reason` once the call is cancelled. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** When the call must have ended, monotonic milliseconds. Infinite until the deadline stage sets it. */
  get deadlineMs(): number {
    return this.#deadlineMs
  }

  /** Brings the deadline forward; it never moves back. */
  tightenDeadline(deadlineMs: number): void {
    if (deadlineMs < this.#deadlineMs) this.#deadlineMs = deadlineMs
  }

  /** Stops the call. Only the first reason counts. */
  cancel(reason: WeirError): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#controller?.abort(reason)
  }
}
