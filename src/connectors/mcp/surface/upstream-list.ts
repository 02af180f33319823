import { type Clock, systemClock, type Timer } from '../../../core/clock.ts'
import { toWeirError, WeirError } from '../../../core/error.ts'
import type { Logger } from '../../../core/logger.ts'
import type { Target } from '../../../core/tool.ts'
import type { Definition } from './read-list.ts'

/** How long news are collected. */
const settleMs = 100
/**
 * How long after one reading the next may begin at the earliest. A list that changes again and again, each change of
 * which is work for everybody who has a part in it, is read ever more seldom, until it stays as it is for a while.
 */
const rest = { firstMs: 500, lastMs: 30_000, freeChanges: 10, calmMs: 60_000 }
/** Taking a list in may keep everybody else waiting for this part of the time, however long it is. */
const restShare = 20
const retryMs = { first: 1_000, last: 30_000 }

/** A target made from a definition, with the text by which two definitions are told apart. */
export interface Listed<T extends Target = Target> {
  readonly target: T
  readonly text: string
}

/** Where definitions come from, how they become targets, and who hears that these are others now. */
export interface UpstreamListOptions<L extends Listed> {
  readonly fetch: () => Promise<ReadonlyMap<string, Definition>>
  /** Throws where the item has to be left out. */
  readonly convert: (name: string, definition: Definition) => L
  /** What one item is called in the log. */
  readonly noun: string
  readonly log: Logger
  readonly onChange: () => void
  readonly clock?: Clock
}

interface LeftOut {
  readonly name: string
  readonly why: string
}

/**
 * What the server has now of one kind. News of changes are collected and read by one reading at a time, however many
 * there are; an item whose definition stayed the same stays the same object.
 */
export class UpstreamList<L extends Listed> {
  readonly #options: UpstreamListOptions<L>
  readonly #clock: Clock
  #byName = new Map<string, L>()
  #items: readonly L[] = []
  #reading: Promise<void> | undefined
  #timer: Timer | undefined
  #stale = false
  #failures = 0
  /** Changes since the list was last calm, and when the latest was found. */
  #changes = 0
  #changedMs = Number.NEGATIVE_INFINITY
  /** How long the latest reading kept this thread, with all that its news led to. */
  #tookMs = 0
  /** When the next reading on news may begin. */
  #restedMs = Number.NEGATIVE_INFINITY
  #closed = false

  constructor(options: UpstreamListOptions<L>) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** The same array until the list changes. */
  get items(): readonly L[] {
    return this.#items
  }

  find(name: string): L | undefined {
    return this.#byName.get(name)
  }

  /** Says that the list may have changed. Returns at once. */
  markStale(): void {
    this.#stale = true
    if (this.#reading === undefined) this.#scheduleNews()
  }

  /** Reads the list now, or waits for the reading under way. */
  refresh(): Promise<void> {
    this.#reading ??= this.#read()
      .then(
        () => this.#afterReading(),
        (error: unknown) => this.#afterFailure(error),
      )
      .finally(() => {
        this.#reading = undefined
      })
    return this.#reading
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  #scheduleNews(): void {
    this.#schedule(Math.max(settleMs, this.#restedMs - this.#clock.monotonicMs()))
  }

  #schedule(delayMs: number): void {
    if (this.#closed || this.#timer !== undefined) return
    this.#timer = this.#clock.setTimer(() => {
      this.#timer = undefined
      // What went wrong is logged, and tried again.
      this.refresh().catch(() => {})
    }, delayMs)
  }

  #afterReading(): void {
    this.#failures = 0
    const excess = Math.max(0, this.#changes - rest.freeChanges)
    const growingMs = Math.min(rest.lastMs, rest.firstMs * 2 ** Math.min(excess, 10))
    this.#restedMs = this.#clock.monotonicMs() + Math.max(growingMs, this.#tookMs * restShare)
    if (this.#stale) this.#scheduleNews()
  }

  #noteChange(): void {
    const nowMs = this.#clock.monotonicMs()
    this.#changes = nowMs - this.#changedMs > rest.calmMs ? 1 : this.#changes + 1
    this.#changedMs = nowMs
  }

  /** The items known so far stay; the next reading comes after growing pauses. */
  #afterFailure(error: unknown): never {
    if (this.#closed) throw error
    const delayMs = Math.min(retryMs.last, retryMs.first * 2 ** this.#failures)
    this.#failures = Math.min(this.#failures + 1, 10)
    const { log, noun } = this.#options
    log.warn({ error, delayMs, noun }, 'A list of the MCP server could not be read.')
    this.#stale = true
    this.#schedule(delayMs)
    throw error
  }

  async #read(): Promise<void> {
    this.#stale = false
    const definitions = await this.#options.fetch()
    if (this.#closed) return
    const arrivedMs = this.#clock.monotonicMs()
    this.#takeIn(definitions)
    this.#tookMs = this.#clock.monotonicMs() - arrivedMs
  }

  #takeIn(definitions: ReadonlyMap<string, Definition>): void {
    const fresh = new Map<string, L>()
    const leftOut: LeftOut[] = []
    for (const [name, definition] of definitions) this.#take(name, definition, fresh, leftOut)
    const { log, noun, onChange } = this.#options
    if (leftOut.length > 0) {
      // One line whatever their number, so that a bad list cannot flood the log.
      log.warn({ noun, count: leftOut.length, ...leftOut[0] }, 'The MCP server lists what is left out.')
    }
    const before = this.#items
    const now = [...fresh.values()]
    this.#byName = fresh
    if (now.length === before.length && now.every((item, index) => item === before[index])) return
    this.#items = now
    this.#noteChange()
    onChange()
  }

  #take(name: string, definition: Definition, fresh: Map<string, L>, leftOut: LeftOut[]): void {
    try {
      const item = this.#options.convert(name, definition)
      const known = this.#byName.get(name)
      fresh.set(name, known?.text === item.text ? known : item)
    } catch (error) {
      if (!(error instanceof WeirError)) throw toWeirError(error)
      leftOut.push({ name: name.slice(0, 128), why: error.message })
    }
  }
}
