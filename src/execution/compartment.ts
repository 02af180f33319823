import type { Call } from '../core/call.ts'
import { WeirError } from '../core/error.ts'
import type { BulkheadRule } from '../core/policy.ts'

/** A refused call asks again after this: places come free as fast as the system answers, which nobody knows. */
const retryAfterMs = 1_000
/** How many lines are looked at for the longest one, where all places are taken. */
const linesLookedAt = 64

/** A call that waits for its turn. It leaves its line when it is stopped. */
interface Waiter {
  readonly line: string
  start(): void
  refuse(error: WeirError): void
}

/**
 * The running and waiting calls of one connection. Each caller has a line of their own, and the lines take turns, so
 * that one caller's flood costs others one turn each; where all places to wait are taken, the longest line gives one up.
 */
export class Compartment {
  readonly #name: string
  readonly #rule: BulkheadRule
  /** In the order in which they are served. A line is never empty. */
  readonly #lines = new Map<string, Set<Waiter>>()
  #running = 0
  #waiting = 0

  constructor(name: string, rule: BulkheadRule) {
    this.#name = name
    this.#rule = rule
  }

  get running(): number {
    return this.#running
  }

  get waiting(): number {
    return this.#waiting
  }

  /** Takes a place where one is free, and says so. Whoever got one leaves exactly once. */
  tryEnter(): boolean {
    if (this.#running >= this.#rule.runningMax) return false
    this.#running += 1
    return true
  }

  /** Resolves when the call has a place. Rejects with OVERLOADED, or with the reason why it was stopped. */
  wait({ caller, cancellation }: Call): Promise<void> {
    return new Promise((resolve, reject) => {
      if (cancellation.reason !== undefined) return reject(cancellation.reason)
      const line = `${caller.tenant}\n${caller.subject}`
      if (this.#waiting >= this.#rule.waitingMax && !this.#makeRoom(line)) return reject(this.#full())
      const stop = () => {
        this.#remove(waiter)
        reject(cancellation.reason)
      }
      const waiter: Waiter = {
        line,
        start() {
          cancellation.removeEventListener('abort', stop)
          resolve()
        },
        refuse(error) {
          cancellation.removeEventListener('abort', stop)
          reject(error)
        },
      }
      cancellation.addEventListener('abort', stop)
      this.#add(waiter)
    })
  }

  /** Gives the place to the next in turn. */
  leave(): void {
    const next = this.#lines.values().next().value
    const waiter = next?.values().next().value
    if (waiter === undefined) {
      this.#running -= 1
      return
    }
    const { line } = waiter
    this.#remove(waiter)
    // Its line goes to the end, so that the others come first.
    if (next!.size > 0) {
      this.#lines.delete(line)
      this.#lines.set(line, next!)
    }
    waiter.start()
  }

  #add(waiter: Waiter): void {
    const line = this.#lines.get(waiter.line)
    if (line === undefined) this.#lines.set(waiter.line, new Set([waiter]))
    else line.add(waiter)
    this.#waiting += 1
  }

  #remove(waiter: Waiter): void {
    const line = this.#lines.get(waiter.line)
    if (line?.delete(waiter) !== true) return
    this.#waiting -= 1
    if (line.size === 0) this.#lines.delete(waiter.line)
  }

  /** The last of the longest line is refused, where that line stays no shorter than the newcomer's. */
  #makeRoom(newcomer: string): boolean {
    let longest: Set<Waiter> | undefined
    let looked = 0
    for (const line of this.#lines.values()) {
      if (longest === undefined || line.size > longest.size) longest = line
      looked += 1
      if (looked === linesLookedAt) break
    }
    const own = this.#lines.get(newcomer)?.size ?? 0
    if (longest === undefined || longest.size <= own + 1) return false
    const last = [...longest].at(-1)!
    this.#remove(last)
    last.refuse(this.#full())
    return true
  }

  #full(): WeirError {
    const { runningMax, waitingMax } = this.#rule
    return new WeirError(
      'OVERLOADED',
      `${runningMax} calls of ${this.#name} are under way, and ${waitingMax} wait.`,
      {
        hint: 'Try again in a moment; an operator can raise the tool’s `bulkhead`.',
        data: { retryAfterMs, sent: false },
      },
    )
  }
}
