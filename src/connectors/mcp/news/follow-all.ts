import { systemClock, type Timer } from '../../../core/clock.ts'
import type { Logger } from '../../../core/logger.ts'
import type { Client } from '../client.ts'
import type { Follower, Watched } from './resource-watches.ts'
import { subscribe } from './subscribe.ts'
import { watchChanges } from './watch-changes.ts'

/** How long changes of what is watched are collected before the server is told. */
const settleMs = 50

/**
 * Follows resources at a modern server: one stream tells of all of them. Its filter cannot be changed, so another stream
 * takes its place, and the old one ends only when the new one is there. So there are at most two, and no gap.
 */
export class AllFollower implements Follower {
  readonly #client: Client
  readonly #watched: Watched
  readonly #log: Logger
  readonly #signal: AbortSignal
  #timer: Timer | undefined
  #current: AbortController | undefined
  #next: AbortController | undefined
  /** Whether there was no stream for a while. */
  #missed = false

  constructor(client: Client, watched: Watched, log: Logger, signal: AbortSignal) {
    this.#client = client
    this.#watched = watched
    this.#log = log
    this.#signal = signal
  }

  changed(): void {
    if (this.#timer !== undefined) return
    this.#timer = systemClock.setTimer(() => {
      this.#timer = undefined
      if (!this.#signal.aborted) this.#replace()
    }, settleMs)
  }

  /** A modern server has no session to lose. */
  renewed(): void {}

  #replace(): void {
    this.#next?.abort()
    this.#next = undefined
    const uris = this.#watched.uris()
    if (uris.length === 0) {
      this.#current?.abort()
      this.#current = undefined
      return
    }
    const stream = new AbortController()
    this.#next = stream
    void watchChanges({
      listen: (signal) => this.#listen(stream, uris, signal),
      onGap: () => {},
      log: this.#log,
      signal: AbortSignal.any([this.#signal, stream.signal]),
    })
  }

  async #listen(
    stream: AbortController,
    uris: readonly string[],
    signal: AbortSignal,
  ): Promise<'ended' | 'unsupported'> {
    try {
      const filter = { resourceSubscriptions: uris }
      return await subscribe(this.#client, filter, signal, () => this.#ready(stream))
    } finally {
      if (stream === this.#current) this.#missed = true
    }
  }

  #ready(stream: AbortController): void {
    if (stream === this.#next) {
      this.#current?.abort()
      this.#current = stream
      this.#next = undefined
    }
    if (!this.#missed) return
    this.#missed = false
    this.#watched.missed()
  }
}
