import type { Disposable } from '../../core/catalog.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { PinStore } from '../../core/stores.ts'
import type { Target } from '../../core/tool.ts'
import { cleanTarget } from './clean-target.ts'
import { PinBook } from './pin-book.ts'
import { type Inspection, PinReporter } from './pin-reporter.ts'
import { type PinnedDefinition, readPinnedDefinition } from './pinned-definition.ts'

/**
 * What is done with definitions that are not the approved ones: `allow`: nothing; `warn`: they are served, told to the
 * log and approved; `quarantine`: they are not served until an operator approves them.
 */
export type Pinning = 'allow' | 'warn' | 'quarantine'

/** What reviews the definitions of one connection. */
interface PinReviewParts {
  readonly connection: string
  readonly mode: Pinning
  /** Whether the first that the connection ever offers is approved by itself. */
  readonly trustFirst: boolean
  readonly store: PinStore
  readonly clock: Clock
  readonly log: Logger
}

/** Decides what may be served of that which one upstream offers (S13). */
export interface PinReview {
  /** Reads what is pinned, before anything that is only remembered is served. Never rejects; at most 2 s. */
  load(): Promise<void>
  /** Decides on what a connection offers and makes that durable, before it is first served. Never rejects; at most 2 s. */
  prepare(connection: { targets(): readonly Target[] }): Promise<void>
  /** What may be served: cleaned of hidden characters, and in quarantine only what is durably approved. */
  review(targets: readonly Target[]): readonly Target[]
  /** Called when `review` would answer otherwise for the same targets. */
  onChange(listener: () => void): Disposable
  /** Writes what is under way, for at most 2 s. Safe to call twice. */
  close(): Promise<void>
}

/** How soon an operator's approval is seen, and the longest that a broken store is left alone. */
const pollMs = { first: 2_000, last: 30_000 }
const waitMaxMs = 2_000
/** Reading the pins again may take this part of the time, however many there are. */
const pollShare = 20

interface Offered {
  readonly target: Target
  /** Absent for what cannot change without an operator. */
  readonly definition?: PinnedDefinition
}

/** Reads what is pinned when there is first something that could be. */
export function createPinReview(parts: PinReviewParts): PinReview {
  return new LivePinReview(parts)
}

class LivePinReview implements PinReview {
  readonly #parts: PinReviewParts
  readonly #reporter: PinReporter
  readonly #listeners = new Set<() => void>()
  /** What the store holds, as it was last read or written; undefined until it was read. */
  #book: PinBook | undefined
  #offered: readonly Offered[] = []
  /** What of it the last review answered with. */
  #answered = ''
  #working: Promise<void> | undefined
  #isStale = false
  #timer: Timer | undefined
  #failures = 0
  #isClosed = false

  constructor(parts: PinReviewParts) {
    this.#parts = parts
    this.#reporter = new PinReporter(parts.connection, parts.log)
  }

  async load(): Promise<void> {
    if (this.#parts.mode !== 'allow' && this.#book === undefined) await this.#within(this.#work())
  }

  async prepare(connection: { targets(): readonly Target[] }): Promise<void> {
    try {
      this.review(connection.targets())
    } catch {
      // Whoever asks it next will see why.
      return
    }
    if (this.#working !== undefined) await this.#within(this.#working)
  }

  review(targets: readonly Target[]): readonly Target[] {
    this.#offered = this.#inspect(targets)
    this.#answered = this.#served()
    if (this.#parts.mode !== 'allow' && this.#offered.some(({ definition }) => definition !== undefined)) {
      this.#report()
      void this.#work()
    }
    return this.#offered.filter((offered) => this.#isServed(offered)).map(({ target }) => target)
  }

  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener)
    return { dispose: () => this.#listeners.delete(listener) }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#listeners.clear()
    if (this.#working !== undefined) await this.#within(this.#working)
  }

  #inspect(targets: readonly Target[]): readonly Offered[] {
    const inspections: Inspection[] = []
    const offered: Offered[] = []
    for (const target of targets) {
      const cleaned = cleanTarget(target)
      const { kind } = target
      if ('refusal' in cleaned) {
        inspections.push({ kind, name: cleaned.name, removed: [], refusal: cleaned.refusal })
        continue
      }
      inspections.push({ kind, name: cleaned.target.name, removed: cleaned.removed })
      const definition = readPinnedDefinition(cleaned.target, target.name)
      offered.push({ target: cleaned.target, ...(definition === undefined ? {} : { definition }) })
    }
    this.#reporter.inspected(inspections)
    return offered
  }

  #isServed({ definition }: Offered): boolean {
    if (definition === undefined || this.#parts.mode !== 'quarantine') return true
    return this.#book?.isApproved(definition) ?? false
  }

  #definitions(): readonly PinnedDefinition[] {
    return this.#offered.flatMap(({ definition }) => (definition === undefined ? [] : [definition]))
  }

  #report(): void {
    const { mode, trustFirst } = this.#parts
    const book = this.#book
    if (book === undefined || (book.isEmpty && (mode === 'warn' || trustFirst))) return
    this.#reporter.differs(this.#definitions(), book, mode === 'warn')
  }

  /** One at a time; what is offered meanwhile is decided on before it ends. */
  #work(isPoll = false): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    this.#isStale = true
    this.#working ??= this.#workAll(isPoll)
    return this.#working
  }

  /** Between the last look at what is offered and the end nothing else can run, so no offer is missed. */
  async #workAll(isPoll: boolean): Promise<void> {
    const begunMs = this.#parts.clock.monotonicMs()
    try {
      if (isPoll || this.#book === undefined) await this.#read()
      while (this.#isStale && !this.#isClosed) {
        this.#isStale = false
        await this.#write()
      }
      this.#failures = 0
    } catch (thrown) {
      this.#complain(thrown)
    }
    this.#working = undefined
    if (this.#isClosed) return
    this.#schedule(this.#parts.clock.monotonicMs() - begunMs)
    if (this.#served() !== this.#answered) for (const listener of [...this.#listeners]) listener()
  }

  async #read(): Promise<void> {
    const { store, connection } = this.#parts
    this.#book = new PinBook(await store.list(connection))
    this.#isStale = true
    this.#report()
  }

  async #write(): Promise<void> {
    const { store, connection, mode, trustFirst, clock } = this.#parts
    const rules = { connection, approvesAll: mode === 'warn', trustsFirst: trustFirst }
    const plan = this.#book!.plan(this.#definitions(), rules, clock.now())
    if (plan.put.length > 0) await store.put(plan.put)
    if (plan.remove.length > 0) await store.remove(plan.remove)
    this.#book!.apply(plan)
  }

  /** By it two answers to the same offers are told apart. */
  #served(): string {
    return this.#offered.map((offered) => (this.#isServed(offered) ? '1' : '0')).join('')
  }

  #schedule(tookMs: number): void {
    this.#timer?.cancel()
    const isHolding = this.#served().includes('0')
    if (this.#failures === 0 && !isHolding) return
    const failed = Math.min(pollMs.last, pollMs.first * 2 ** Math.max(0, this.#failures - 1))
    const delayMs = Math.max(failed, tookMs * pollShare)
    this.#timer = this.#parts.clock.setTimer(() => void this.#work(true), delayMs)
  }

  #complain(thrown: unknown): void {
    const { connection, mode, log } = this.#parts
    this.#failures = Math.min(this.#failures + 1, 10)
    if (this.#failures > 1) return
    const cause = thrown instanceof Error ? thrown.message : String(thrown)
    const effect =
      mode === 'quarantine' ? 'nothing that is not approved is served' : 'changes of definitions go unnoticed'
    const fields = { event: 'pins.unavailable', connection, cause }
    log.warn(fields, `Pins could not be read or written: ${effect}.`)
  }

  #within(work: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#parts.clock.setTimer(resolve, waitMaxMs)
      void work.then(() => {
        timer.cancel()
        resolve()
      })
    })
  }
}
