import type { WeirError } from './error.ts'

/** Called once, when work is to stop. */
export type StopListener = (() => void) | { handleEvent(): void }

/** What tells work to stop. Every AbortSignal is one; a Cancellation is a cheaper one, for hot paths. */
export interface StopSignal {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: StopListener, options?: { readonly once: boolean }): void
  removeEventListener(type: 'abort', listener: StopListener): void
}

/**
 * One call's way to be stopped. It is a StopSignal itself, in plain fields: an AbortController with a listener
 * costs a call more than all stages together, so the AbortSignal is made only when somebody asks for it.
 */
export class Cancellation implements StopSignal {
  #reason: WeirError | undefined
  #controller: AbortController | undefined
  #deadlineMs = Number.POSITIVE_INFINITY
  #pausedMs: number | undefined
  #listeners: StopListener[] | undefined
  /** Whether the target was given the call, so that its effect may have happened. Set where it is run, and by `tellDispatched`. */
  isDispatched = false

  /** Why the call was stopped; undefined while it runs. */
  get reason(): WeirError | undefined {
    return this.#reason
  }

  get aborted(): boolean {
    return this.#reason !== undefined
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

  /** Brings the deadline forward; nothing but a pause moves it back. */
  tightenDeadline(deadlineMs: number): void {
    if (deadlineMs < this.#deadlineMs) this.#deadlineMs = deadlineMs
  }

  /** The deadline stands still from now on, monotonic milliseconds: a person decides, and their time is not the call's. */
  pauseDeadline(nowMs: number): void {
    this.#pausedMs ??= nowMs
  }

  /** It runs again, later by as long as it stood. */
  resumeDeadline(nowMs: number): void {
    if (this.#pausedMs === undefined) return
    this.#deadlineMs += nowMs - this.#pausedMs
    this.#pausedMs = undefined
  }

  get isPaused(): boolean {
    return this.#pausedMs !== undefined
  }

  /** How long the call has left. While the deadline stands still that does not shrink. */
  leftMs(nowMs: number): number {
    return this.#deadlineMs - (this.#pausedMs ?? nowMs)
  }

  /** As an AbortSignal has it: never called back where the call was stopped before. */
  addEventListener(_type: 'abort', listener: StopListener): void {
    if (this.#reason !== undefined) return
    if (this.#listeners === undefined) this.#listeners = [listener]
    else this.#listeners.push(listener)
  }

  removeEventListener(_type: 'abort', listener: StopListener): void {
    const at = this.#listeners?.indexOf(listener) ?? -1
    if (at !== -1) this.#listeners?.splice(at, 1)
  }

  /** Stops the call. Only the first reason counts. Listeners run at once; one that throws keeps no other from running. */
  cancel(reason: WeirError): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#controller?.abort(reason)
    const listeners = this.#listeners
    this.#listeners = undefined
    for (const listener of listeners ?? []) notify(listener)
  }
}

/** For whoever holds a call back in front of its system: that it has not got there, and, once it goes on, that it may have. */
export function tellDispatched(stop: StopSignal, isDispatched: boolean): void {
  if (stop instanceof Cancellation) stop.isDispatched = isDispatched
}

function notify(listener: StopListener): void {
  try {
    if (typeof listener === 'function') listener()
    else listener.handleEvent()
  } catch {
    // Whoever listens answers for itself; its fault must not keep the others' work running.
  }
}
