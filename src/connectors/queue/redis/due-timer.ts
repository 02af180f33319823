import type { Timer } from '../../../core/clock.ts'
import type { BrokerContext } from '../broker.ts'
import type { RedisLink } from './redis-link.ts'
import { scripts } from './scripts.ts'

/** How long it sleeps at most, so that what other Weirs delayed is not late by more, and at least. */
const sleepMsMax = 1000
const sleepMsMin = 10

/**
 * Moves what is due, delayed messages and those whose lease ended, in every queue that has such, whether or not
 * somebody receives from it (B-19). Which queues and when is written down in Redis, so that it outlives Weir; several
 * Weirs may do it side by side.
 */
export class DueTimer {
  readonly #link: RedisLink
  readonly #context: BrokerContext
  #timer: Timer | undefined
  #dueMs = 0
  #isOn = false
  #isSweeping = false
  #isStopped = false

  constructor(link: RedisLink, context: BrokerContext) {
    this.#link = link
    this.#context = context
  }

  /** From the first use on; calling it again is safe. */
  start(): void {
    if (this.#isOn || this.#isStopped) return
    this.#isOn = true
    this.#sleep(0)
  }

  /** Something falls due after `delayMs`: the sleep ends then, if it would be longer. */
  expect(delayMs: number): void {
    this.start()
    const dueMs = this.#context.clock.monotonicMs() + delayMs
    if (dueMs >= this.#dueMs) return
    // A sweep that is under way may have looked before; the sleep after it then ends by this time.
    if (this.#isSweeping) this.#dueMs = dueMs
    else this.#sleep(delayMs)
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  #sleep(ms: number): void {
    if (this.#isStopped) return
    this.#timer?.cancel()
    const sleepMs = Math.min(sleepMsMax, Math.max(sleepMsMin, ms))
    this.#dueMs = this.#context.clock.monotonicMs() + sleepMs
    this.#timer = this.#context.clock.setTimer(() => void this.#sweep(), sleepMs)
  }

  async #sweep(): Promise<void> {
    this.#isSweeping = true
    this.#dueMs = Number.POSITIVE_INFINITY
    const nextMs = await this.#askNext()
    this.#isSweeping = false
    const expectedMs = this.#dueMs - this.#context.clock.monotonicMs()
    this.#sleep(Math.min(nextMs < 0 ? sleepMsMax : nextMs, expectedMs))
  }

  /** While Redis is down there is nothing to move; whoever calls is told so. */
  async #askNext(): Promise<number> {
    if (!this.#link.isReady) return sleepMsMax
    try {
      return Number(await this.#link.run(scripts.sweep, [], []))
    } catch (err) {
      this.#context.log.debug({ err }, 'Moving due messages failed; it is tried again.')
      return sleepMsMax
    }
  }
}
