import type { Clock } from '../../core/clock.ts'
import { judge, type Quota, type Verdict } from './quota.ts'

/** Buckets that are not full, at most; a full one is forgotten without loss. */
const bucketsMax = 100_000
/** Of the oldest, how many are looked at for one that can be forgotten. */
const lookedAtMax = 64
/** When a caller who found no room may ask again. */
const noRoomMs = 1_000

/**
 * Token buckets of this process, on the monotonic clock (R18). Where all are in use and none is full, a call that needs
 * a new one is refused: to forget one would be to give its caller everything back.
 */
export class LocalBuckets {
  readonly #clock: Clock
  readonly #max: number
  /** When each bucket will be full, oldest first. */
  readonly #fullAtMs = new Map<string, number>()

  constructor(clock: Clock, max = bucketsMax) {
    this.#clock = clock
    this.#max = max
  }

  /** How many are kept. */
  get size(): number {
    return this.#fullAtMs.size
  }

  /** Takes a token of each, or none at all. */
  take(quotas: readonly Quota[]): Verdict {
    const nowMs = this.#clock.monotonicMs()
    const aheadMs = quotas.map(({ key }) => Math.max(0, (this.#fullAtMs.get(key) ?? 0) - nowMs))
    const verdict = judge(quotas, aheadMs)
    if (!verdict.isTaken) return verdict
    if (!this.#makeRoom(quotas, nowMs)) return refuseForRoom(verdict)
    quotas.forEach(({ key, intervalMs }, at) => {
      this.#fullAtMs.set(key, nowMs + aheadMs[at]! + intervalMs)
    })
    return verdict
  }

  #makeRoom(quotas: readonly Quota[], nowMs: number): boolean {
    let free = this.#max - this.#fullAtMs.size
    // The usual case, without asking for each whether it is new.
    if (free >= quotas.length) return true
    const added = quotas.filter(({ key }) => !this.#fullAtMs.has(key)).length
    if (free >= added) return true
    const asked = new Set(quotas.map(({ key }) => key))
    let looked = 0
    for (const [key, fullAtMs] of this.#fullAtMs) {
      if (free >= added || looked >= lookedAtMax) break
      looked += 1
      this.#fullAtMs.delete(key)
      if (fullAtMs > nowMs || asked.has(key)) this.#fullAtMs.set(key, fullAtMs)
      else free += 1
    }
    return free >= added
  }
}

function refuseForRoom({ quota }: Verdict): Verdict {
  const standing = { limit: quota.burst, remaining: 0, resetMs: noRoomMs }
  return { isTaken: false, waitMs: noRoomMs, quota, standing, canWait: false }
}
