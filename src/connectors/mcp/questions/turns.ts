import type { StopSignal } from '../../../core/cancellation.ts'
import { WeirError } from '../../../core/error.ts'

/** Calls that wait for their turn; one more is refused. */
const waitingMax = 256

interface Waiting<T> {
  begin(): T
  isRival(other: T): boolean
  grant(begun: T): void
}

/** What is under way now: any number of things, until they are told that none may begin while a rival of it runs. */
export class Turns<T> {
  /**
   * In the order in which they began. A list and no Set: one that is added to and deleted from all the time makes a new
   * table every few dozen calls, and V8's dead tables keep their successors, with all that these hold, from being
   * collected young. It took a fifth of the processor's time.
   */
  readonly #running: T[] = []
  readonly #waiting = new Set<Waiting<T>>()
  #inTurn = false

  get running(): readonly T[] {
    return this.#running
  }

  /** Whether anything waits for its turn. */
  get isWaitedFor(): boolean {
    return this.#waiting.size > 0
  }

  /** From now on they take turns. Whether that is news. */
  takeInTurn(): boolean {
    const isNews = !this.#inTurn
    this.#inTurn = true
    return isNews
  }

  /** Begins at once, where nothing forbids it. */
  enter(begin: () => T, isRival: (other: T) => boolean): T | undefined {
    if (this.#inTurn && (this.#waiting.size > 0 || this.#hasRival(isRival))) return undefined
    return this.#begin(begin)
  }

  /** Begins when its turn comes. Rejects with OVERLOADED, or with the reason of the signal. */
  wait(begin: () => T, isRival: (other: T) => boolean, stop: StopSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      if (stop.aborted) return reject(stop.reason)
      if (this.#waiting.size >= waitingMax) return reject(overloaded())
      const abort = () => {
        this.#waiting.delete(waiting)
        reject(stop.reason)
      }
      const grant = (begun: T) => {
        stop.removeEventListener('abort', abort)
        resolve(begun)
      }
      const waiting: Waiting<T> = { begin, isRival, grant }
      this.#waiting.add(waiting)
      stop.addEventListener('abort', abort, { once: true })
      this.pass()
    })
  }

  leave(one: T): void {
    const at = this.#running.indexOf(one)
    if (at !== -1) this.#running.splice(at, 1)
    this.pass()
  }

  /** Lets those begin that have no rival any more, in the order in which they came. */
  pass(): void {
    for (const next of this.#waiting) {
      if (this.#hasRival(next.isRival)) continue
      this.#waiting.delete(next)
      // It runs from here on, and not from when its caller hears of it: nobody may come between.
      next.grant(this.#begin(next.begin))
    }
  }

  #begin(begin: () => T): T {
    const begun = begin()
    this.#running.push(begun)
    return begun
  }

  #hasRival(isRival: (other: T) => boolean): boolean {
    for (const other of this.#running) if (isRival(other)) return true
    return false
  }
}

function overloaded(): WeirError {
  return new WeirError(
    'OVERLOADED',
    `${waitingMax} calls wait for this MCP server, which takes one at a time.`,
    {
      hint: 'It asks its users questions; give each caller a process of its own with `isolation: caller`.',
      data: { sent: false },
    },
  )
}
