import { systemClock } from '../../../core/clock.ts'
import { toWeirError } from '../../../core/error.ts'
import type { Logger } from '../../../core/logger.ts'
import type { Client } from '../client.ts'
import type { Follower, Watched } from './resource-watches.ts'

/** Subscriptions that are told to the server at once, so that a lost session does not cost it all its calls. */
const lanesMax = 8
const retryMs = { first: 1_000, last: 60_000 }

/** Follows resources at a legacy server, which is told of each by itself and forgets all of them with its session. */
export class EachFollower implements Follower {
  readonly #client: Client
  readonly #watched: Watched
  readonly #log: Logger
  readonly #signal: AbortSignal
  /** What the server knows to be watched. */
  readonly #told = new Set<string>()
  /** What it knew before it forgot everything. */
  readonly #lost = new Set<string>()
  readonly #open = new Set<string>()
  readonly #busy = new Set<string>()
  readonly #failed = new Set<string>()
  #session = 0
  #failures = 0
  #waits = false

  constructor(client: Client, watched: Watched, log: Logger, signal: AbortSignal) {
    this.#client = client
    this.#watched = watched
    this.#log = log
    this.#signal = signal
  }

  changed(uri: string): void {
    this.#open.add(uri)
    this.#pump()
  }

  renewed(): void {
    this.#session += 1
    for (const uri of this.#told) this.#lost.add(uri)
    this.#told.clear()
    for (const uri of this.#watched.uris()) this.#open.add(uri)
    this.#pump()
  }

  #pump(): void {
    if (this.#signal.aborted) return
    for (const uri of this.#open) {
      if (this.#busy.size >= lanesMax) return
      // What is under way goes on first, so that an earlier word never comes after a later one.
      if (this.#busy.has(uri)) continue
      this.#open.delete(uri)
      if (this.#watched.has(uri) !== this.#told.has(uri)) void this.#tell(uri, this.#watched.has(uri))
    }
  }

  async #tell(uri: string, wanted: boolean): Promise<void> {
    const session = this.#session
    this.#busy.add(uri)
    try {
      const method = wanted ? 'resources/subscribe' : 'resources/unsubscribe'
      await this.#client.control(method, { uri }, this.#signal)
      this.#failures = 0
      if (session === this.#session && wanted) this.#told.add(uri)
      if (this.#lost.delete(uri) && wanted) this.#watched.missed(uri)
    } catch (error) {
      this.#afterFailure(uri, error)
    }
    // Whatever the server made of its being told to forget it, it is not told again.
    if (session === this.#session && !wanted) this.#told.delete(uri)
    this.#busy.delete(uri)
    this.#pump()
  }

  /** A refusal is the server's last word; anything else is tried again, all of it together, after growing pauses. */
  #afterFailure(uri: string, error: unknown): void {
    if (this.#signal.aborted) return
    this.#log.debug({ error }, 'The MCP server could not be told what is watched.')
    if (!toWeirError(error).spec.retryable) return
    this.#failed.add(uri)
    if (this.#waits) return
    this.#waits = true
    const delayMs = Math.min(retryMs.last, retryMs.first * 2 ** this.#failures)
    this.#failures = Math.min(this.#failures + 1, 10)
    systemClock.setTimer(() => {
      this.#waits = false
      for (const failed of this.#failed) this.#open.add(failed)
      this.#failed.clear()
      this.#pump()
    }, delayMs)
  }
}
