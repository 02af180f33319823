/** What one origin holds of a client's sockets. */
export interface OriginSlots {
  /** Requests under way at this origin; each holds a socket. */
  inFlight: number
}

/** A request that waits for a socket. */
export interface Waiter {
  readonly slots: OriginSlots
  /** The socket is yours; `inFlight` is counted already. */
  start(): void
}

/** How many requests may be under way, and how many may wait (C-08). */
export interface SocketLimits {
  readonly connectionsPerOrigin: number
  readonly connectionsMax: number
  readonly waitingMax: number
}

/** Bounds the requests under way, per origin and in all, and lets a bounded number wait their turn, oldest first. */
export class SocketLimit<W extends Waiter = Waiter> {
  readonly #limits: SocketLimits
  readonly #waiting = new Set<W>()
  #inFlight = 0

  constructor(limits: SocketLimits) {
    this.#limits = limits
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** Takes a slot if one is free. Whoever got one calls `leave` once. */
  tryEnter(slots: OriginSlots): boolean {
    if (this.#inFlight >= this.#limits.connectionsMax) return false
    if (slots.inFlight >= this.#limits.connectionsPerOrigin) return false
    this.#inFlight++
    slots.inFlight++
    return true
  }

  /** Queues a request; false where the queue is full. */
  wait(waiter: W): boolean {
    if (this.#waiting.size >= this.#limits.waitingMax) return false
    this.#waiting.add(waiter)
    return true
  }

  /** Takes a request out of the queue; false where it was not in it. */
  giveUp(waiter: W): boolean {
    return this.#waiting.delete(waiter)
  }

  /** Frees a slot and starts the oldest request that can use it. */
  leave(slots: OriginSlots): void {
    this.#inFlight--
    slots.inFlight--
    if (this.#waiting.size === 0) return
    for (const waiter of this.#waiting) {
      if (!this.tryEnter(waiter.slots)) continue
      this.#waiting.delete(waiter)
      waiter.start()
      return
    }
  }

  /** Empties the queue and hands out what was in it. */
  drain(): readonly W[] {
    const waiters = [...this.#waiting]
    this.#waiting.clear()
    return waiters
  }
}
