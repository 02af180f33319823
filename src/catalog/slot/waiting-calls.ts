import { type StopSignal, tellDispatched } from '../../core/cancellation.ts'
import type { Clock } from '../../core/clock.ts'
import { WeirError } from '../../core/error.ts'

/** What one connection holds back at most. */
const waitingMax = 1_000

interface Waiter {
  proceed(): void
  fail(reason: unknown): void
}

/** Calls that wait for their connection, in the order in which they came; each leaves when its own call is stopped. */
export class WaitingCalls {
  readonly #connection: string
  readonly #clock: Clock
  readonly #waiters = new Set<Waiter>()

  constructor(connection: string, clock: Clock) {
    this.#connection = connection
    this.#clock = clock
  }

  /** Resolves with `release`. Rejects with `fail`, when the call is stopped, or after `limitMs` with `late`. */
  wait(stop: StopSignal, limit?: { readonly limitMs: number; readonly late: unknown }): Promise<void> {
    return new Promise((resolve, reject) => {
      if (stop.aborted) return reject(stop.reason)
      if (this.#waiters.size >= waitingMax) return reject(this.#tooMany())
      const leave = () => {
        this.#waiters.delete(waiter)
        stop.removeEventListener('abort', abort)
        timer?.cancel()
      }
      const fail = (reason: unknown) => {
        leave()
        reject(reason)
      }
      const proceed = () => {
        leave()
        tellDispatched(stop, true)
        resolve()
      }
      const waiter = { proceed, fail }
      const abort = () => fail(stop.reason)
      const timer =
        limit === undefined ? undefined : this.#clock.setTimer(() => fail(limit.late), limit.limitMs)
      stop.addEventListener('abort', abort, { once: true })
      // A write whose time is over while it waits has certainly not happened.
      tellDispatched(stop, false)
      this.#waiters.add(waiter)
    })
  }

  /** Lets all go on. */
  release(): void {
    for (const waiter of [...this.#waiters]) waiter.proceed()
  }

  fail(reason: unknown): void {
    for (const waiter of [...this.#waiters]) waiter.fail(reason)
  }

  #tooMany(): WeirError {
    const message = `${waitingMax} calls already wait for the connection "${this.#connection}" to come up.`
    return new WeirError('OVERLOADED', message, {
      hint: 'Wait until the connection is up again.',
      data: { sent: false },
    })
  }
}
