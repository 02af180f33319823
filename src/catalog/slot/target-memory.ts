import type { Clock, Timer } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { RememberedTargets, TargetStore } from '../../core/stores.ts'
import type { Target } from '../../core/tool.ts'
import { readTargets, writeTargets } from './target-definition.ts'

/** Changes that come close together are written once. */
const settleMs = 1_000
const recallMs = 2_000
const closeMs = 2_000
/** What a connection with ten thousand ordinary tools takes; beyond it nothing is remembered. */
const textCharsMax = 16 * 1024 * 1024

/** Whose targets are remembered, and where. */
export interface TargetMemoryOptions {
  readonly connection: string
  /** Of its configuration: what another one offered is not shown. */
  readonly fingerprint: string
  readonly store: TargetStore
  readonly clock: Clock
  readonly log: Logger
}

/** What was known of a connection when it was last up. */
export interface Recollection {
  readonly targets: readonly Target[]
  readonly notes: Readonly<Record<string, string>>
  readonly seenAt: number
}

/** Keeps what one connection offers beyond the process's life. A store that fails costs the memory, and nothing else. */
export class TargetMemory {
  readonly #options: TargetMemoryOptions
  #next: (() => RememberedTargets) | undefined
  #timer: Timer | undefined
  #writing: Promise<void> | undefined

  constructor(options: TargetMemoryOptions) {
    this.#options = options
  }

  /** Undefined where nothing of this configuration is remembered, or the store does not say in time. */
  async recall(): Promise<Recollection | undefined> {
    const { store, connection, fingerprint, clock } = this.#options
    try {
      const found = await within(clock, recallMs, store.recall(connection))
      if (found === undefined || found.fingerprint !== fingerprint) return undefined
      return { targets: readTargets(found.targets), notes: found.notes, seenAt: found.seenAt }
    } catch (thrown) {
      this.#complain(thrown, 'What a connection offered before could not be read.')
      return undefined
    }
  }

  /** Writes soon, and what came last: returns at once. */
  remember(targets: readonly Target[], notes: Readonly<Record<string, string>>): void {
    const { fingerprint, clock } = this.#options
    const seenAt = clock.now()
    this.#next = () => ({ fingerprint, targets: writeTargets(targets), notes, seenAt })
    if (this.#timer !== undefined || this.#writing !== undefined) return
    this.#timer = clock.setTimer(() => this.#begin(), settleMs)
  }

  /** Resolves when what was remembered last is written, or could not be; after 2 s at the latest. */
  async close(): Promise<void> {
    this.#timer?.cancel()
    const { clock } = this.#options
    try {
      await within(clock, closeMs, this.#writeLast())
    } catch (thrown) {
      this.#complain(thrown, 'What a connection offers could not be remembered.')
    }
  }

  async #writeLast(): Promise<void> {
    await this.#writing
    this.#begin()
    await this.#writing
  }

  #begin(): void {
    this.#timer = undefined
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined
    })
  }

  async #writeAll(): Promise<void> {
    for (let next = this.#next; next !== undefined; next = this.#next) {
      this.#next = undefined
      try {
        await this.#write(next())
      } catch (thrown) {
        this.#complain(thrown, 'What a connection offers could not be remembered.')
      }
    }
  }

  async #write(remembered: RememberedTargets): Promise<void> {
    const { length } = remembered.targets
    if (length > textCharsMax) throw new RangeError(`${length} characters are more than ${textCharsMax}`)
    await this.#options.store.remember(this.#options.connection, remembered)
  }

  #complain(thrown: unknown, message: string): void {
    const { connection, log } = this.#options
    const cause = thrown instanceof Error ? thrown.message : String(thrown)
    log.warn({ event: 'connection.memory-failed', connection, cause }, message)
  }
}

function within<T>(clock: Clock, limitMs: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`the store did not answer within ${limitMs} ms`))
    const timer = clock.setTimer(late, limitMs)
    work.then(resolve, reject).finally(() => timer.cancel())
  })
}
