import type { Disposable } from '../../core/catalog.ts'
import { systemClock, type Timer } from '../../core/clock.ts'
import { toWeirError, WeirError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import type { Tool } from '../../core/tool.ts'
import type { ToolDefinition } from './list-tools.ts'
import type { UpstreamTool } from './to-tool.ts'

/** How long news are collected, and how long after one reading the next may begin at the earliest. */
const settleMs = 100
const restMs = 500
const retryMs = { first: 1_000, last: 30_000 }

/** Where definitions come from, and how they become tools. */
export interface ToolListOptions {
  readonly fetch: () => Promise<readonly ToolDefinition[]>
  /** Throws where the tool has to be left out. */
  readonly convert: (definition: ToolDefinition) => UpstreamTool
  readonly log: Logger
}

/**
 * What tools the server has now. News of changes are collected and read by one reading at a time, however many
 * there are; a tool whose definition stayed the same stays the same object.
 */
export class ToolList {
  readonly #options: ToolListOptions
  readonly #listeners = new Set<() => void>()
  #byName = new Map<string, UpstreamTool>()
  #tools: readonly Tool[] = []
  #reading: Promise<void> | undefined
  #timer: Timer | undefined
  #stale = false
  #failures = 0
  #closed = false

  constructor(options: ToolListOptions) {
    this.#options = options
  }

  get tools(): readonly Tool[] {
    return this.#tools
  }

  find(name: string): UpstreamTool | undefined {
    return this.#byName.get(name)
  }

  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener)
    return { dispose: () => this.#listeners.delete(listener) }
  }

  /** Says that the list may have changed. Returns at once. */
  markStale(): void {
    this.#stale = true
    if (this.#reading === undefined) this.#schedule(settleMs)
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
    this.#listeners.clear()
  }

  #schedule(delayMs: number): void {
    if (this.#closed || this.#timer !== undefined) return
    this.#timer = systemClock.setTimer(() => {
      this.#timer = undefined
      // What went wrong is logged, and tried again.
      this.refresh().catch(() => {})
    }, delayMs)
  }

  #afterReading(): void {
    this.#failures = 0
    if (this.#stale) this.#schedule(restMs)
  }

  /** The tools known so far stay; the next reading comes after growing pauses. */
  #afterFailure(error: unknown): never {
    if (this.#closed) throw error
    const delayMs = Math.min(retryMs.last, retryMs.first * 2 ** this.#failures)
    this.#failures = Math.min(this.#failures + 1, 10)
    this.#options.log.warn({ error, delayMs }, 'The MCP server’s list of tools could not be read again.')
    this.#stale = true
    this.#schedule(delayMs)
    throw error
  }

  async #read(): Promise<void> {
    this.#stale = false
    const definitions = await this.#options.fetch()
    if (this.#closed) return
    const previous = this.#byName
    const before = [...previous.values()]
    this.#byName = new Map()
    for (const definition of definitions) this.#take(definition, previous)
    const now = [...this.#byName.values()]
    if (now.length === before.length && now.every((upstream, index) => upstream === before[index])) return
    this.#tools = now.map(({ tool }) => tool)
    for (const listener of [...this.#listeners]) listener()
  }

  #take(definition: ToolDefinition, previous: ReadonlyMap<string, UpstreamTool>): void {
    try {
      const fresh = this.#options.convert(definition)
      const known = previous.get(definition.name)
      this.#byName.set(definition.name, known?.text === fresh.text ? known : fresh)
    } catch (error) {
      if (!(error instanceof WeirError)) throw toWeirError(error)
      const tool = definition.name.slice(0, 128)
      this.#options.log.warn({ tool, why: error.message }, 'A tool of the MCP server is left out.')
    }
  }
}
