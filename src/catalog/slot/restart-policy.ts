import type { Clock } from '../../core/clock.ts'

/**
 * Pauses between attempts to open: doubling, with full jitter so that many gateways do not knock at once. Only a
 * connection that stayed up for a while starts again from the shortest, or one that dies at once would be opened
 * four times a second for ever.
 */
const retry = { firstMs: 500, maxMs: 30_000, stableMs: 10_000 }
/** So many exits, each so soon after its start and before anything was answered, are no accident any more (R4). */
const loop = { exits: 5, withinMs: 10_000 }
/** How long after its loss a connection is expected back, so that calls wait for it. */
const hopeMs = 30_000

/** How an attempt to open, or the connection that came of it, ended. */
export interface Ending {
  /** Whether a process, or what stands for one, died; not so where it could not be reached at all. */
  readonly isExit: boolean
  /** Whether it answered anything since it came up. */
  readonly hasServed: boolean
}

/**
 * When one connection is opened again (R4). One that has served starts again at once; any other after a pause. One
 * that keeps dying right after its start is tried only after the longest pauses, which still lets it heal.
 *
 * A call waits for a connection that is opened for the first time, and for one that was up within the last 30 s and
 * whose next attempt comes before those are over. In every other case it is told at once why there is none.
 */
export class RestartPolicy {
  readonly #clock: Clock
  readonly #random: () => number
  #isFirst = true
  #isUp = false
  #beganMs = 0
  #openedMs = 0
  #lostMs = Number.NEGATIVE_INFINITY
  /** When the next attempt begins; undefined while one is under way. */
  #dueMs: number | undefined
  #failures = 0
  #quickExits = 0

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock
    this.#random = random
  }

  get isLooping(): boolean {
    return this.#quickExits >= loop.exits
  }

  /** Whether a call may wait for the next attempt. */
  get isHopeful(): boolean {
    if (this.#isFirst) return true
    return !this.isLooping && (this.#dueMs ?? this.#clock.monotonicMs()) < this.#lostMs + hopeMs
  }

  begin(): void {
    this.#beganMs = this.#clock.monotonicMs()
    this.#dueMs = undefined
  }

  opened(): void {
    this.#openedMs = this.#clock.monotonicMs()
    this.#isUp = true
    this.#isFirst = false
  }

  /** It was closed for want of work: the next attempt is like a first one. */
  rested(): void {
    this.#isUp = false
    this.#isFirst = true
  }

  /** How long to wait before the next attempt. */
  ended({ isExit, hasServed }: Ending): number {
    const nowMs = this.#clock.monotonicMs()
    const isLong = this.#isUp && nowMs - this.#openedMs >= retry.stableMs
    if (this.#isUp) this.#lostMs = nowMs
    this.#isUp = false
    this.#isFirst = false
    if (isLong || hasServed) this.#failures = 0
    if (hasServed || nowMs - this.#beganMs >= loop.withinMs) this.#quickExits = 0
    else if (isExit) this.#quickExits += 1
    const pauseMs = hasServed ? 0 : this.#nextPauseMs()
    this.#dueMs = nowMs + pauseMs
    return pauseMs
  }

  #nextPauseMs(): number {
    if (this.isLooping) return retry.maxMs * (0.5 + this.#random() / 2)
    const ceilingMs = Math.min(retry.maxMs, retry.firstMs * 2 ** Math.min(this.#failures, 10))
    this.#failures += 1
    return this.#random() * ceilingMs
  }
}
