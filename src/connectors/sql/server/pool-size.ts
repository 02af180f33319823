/** The bounds an operator sets, whole numbers with `min` no more than `max` (C-09). */
export interface PoolBounds {
  readonly min: number
  readonly max: number
}

/** How often the size follows the use (D3-112). */
export const resizeIntervalMs = 60_000

const busyShare = 0.8
const idleShare = 0.2
const growth = 1.5
const shrinkage = 0.7

/**
 * How many sessions stay open while they are idle (D3-112, B-104). It follows the most that were used at once since
 * the last look: above four fifths it grows by half, below one fifth it shrinks by a third. It is a whole number
 * within its bounds, and each step leads well into the band where nothing changes, so it cannot swing to and fro.
 */
export class PoolSize {
  readonly #bounds: PoolBounds
  #size: number

  constructor(bounds: PoolBounds) {
    this.#bounds = bounds
    this.#size = bounds.min
  }

  get size(): number {
    return this.#size
  }

  /** To be called every `resizeIntervalMs`, with the most sessions that were used at once in between. */
  follow(peakUsed: number): void {
    const { min, max } = this.#bounds
    const share = peakUsed / Math.max(1, this.#size)
    if (share > busyShare) this.#size = Math.min(max, Math.ceil(this.#size * growth))
    else if (share < idleShare) this.#size = Math.max(min, Math.floor(this.#size * shrinkage))
  }
}

/** Reading and writing take sessions of their own; where writing is allowed, a quarter of them is for it. */
export function splitPool(bounds: PoolBounds, write: boolean): { readers: PoolBounds; writers: PoolBounds } {
  const writersMax = write ? Math.max(1, Math.floor(bounds.max / 4)) : 0
  const readersMax = Math.max(1, bounds.max - writersMax)
  return {
    readers: { min: Math.min(bounds.min, readersMax), max: readersMax },
    writers: { min: Math.min(1, writersMax), max: writersMax },
  }
}
