import { type Clock, systemClock } from '../../../core/clock.ts'

/** Starts are hungry: a hundred at once would take the machine from the servers that already work. */
const startingMax = 4
/** A server that takes longer than this to greet is mostly waiting itself. */
const holdMaxMs = 10_000

/** Lets few child processes start at a time, the others in the order in which they asked. */
export class SpawnLimit {
  readonly #clock: Clock
  readonly #queue = new Set<() => void>()
  #starting = 0

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  /** Resolves when it is this one's turn, with what gives the turn back; it is taken back after 10 s. Rejects with the signal's reason. */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    if (this.#starting >= startingMax) await this.#queueUp(signal)
    else this.#starting += 1
    return this.#hold()
  }

  /** The turn is handed over by `#leave`, so that none who asks later can take it. */
  #queueUp(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#queue.delete(proceed)
        reject(signal.reason)
      }
      const proceed = () => {
        signal.removeEventListener('abort', abort)
        resolve()
      }
      signal.addEventListener('abort', abort, { once: true })
      this.#queue.add(proceed)
    })
  }

  #hold(): () => void {
    let isHeld = true
    const leave = () => {
      if (!isHeld) return
      isHeld = false
      timer.cancel()
      this.#leave()
    }
    const timer = this.#clock.setTimer(leave, holdMaxMs)
    return leave
  }

  #leave(): void {
    const [next] = this.#queue
    if (next === undefined) {
      this.#starting -= 1
      return
    }
    this.#queue.delete(next)
    next()
  }
}
