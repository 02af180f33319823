import type { Disposable } from '../../../core/catalog.ts'
import type { Clock } from '../../../core/clock.ts'
import { WeirError } from '../../../core/error.ts'
import type { Logger } from '../../../core/logger.ts'
import type { Tool } from '../../../core/tool.ts'
import type { Api } from '../api.ts'
import { createSource, isUrl, type SourceParts } from './create-source.ts'
import { LiveDocument } from './live-document.ts'
import { addHash } from './name-operations.ts'
import type { OperationPlan } from './plan-operation.ts'
import { toTool } from './to-tool.ts'

/** How long a connection waits for documents behind URLs before it opens without their tools. */
const firstReadMs = 1_500

/** What the documents of a connection are read with. */
export interface DocumentParts extends SourceParts {
  readonly log: Logger
  readonly clock: Clock
}

/** The tools of all APIs of one connection that have a document. */
export class LiveDocuments {
  readonly #parts: DocumentParts
  readonly #documents: LiveDocument[] = []
  readonly #listeners = new Set<() => void>()
  readonly #closing = new AbortController()
  readonly #made = new WeakMap<OperationPlan, Tool>()
  #tools: readonly Tool[] = []

  constructor(parts: DocumentParts) {
    this.#parts = parts
  }

  /** Whether no API has a document. */
  get isEmpty(): boolean {
    return this.#documents.length === 0
  }

  /** The same array until something changes. */
  get tools(): readonly Tool[] {
    return this.#tools
  }

  /**
   * Reads the documents of these APIs; `taken` are the names of the connection's other tools. Rejects for a file that cannot
   * be used; what is behind a URL may come later. However it ends, `close` is called after it.
   */
  async open(apis: readonly Api[], taken: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    const { log, clock } = this.#parts
    for (const api of apis) {
      const config = api.config.openapi
      if (config === undefined) continue
      const source = createSource(api.name, config, this.#parts)
      this.#documents.push(new LiveDocument({ api, config, source, taken, log }))
    }
    const reads = this.#documents.map(async (document) => {
      const read = this.#follow(document.read(this.#stopping(signal)))
      if (!isUrl(document.api.config.openapi!.source)) return read
      return waitAtMost(read, firstReadMs, clock)
    })
    await Promise.all(reads)
    signal.throwIfAborted()
  }

  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener)
    return { dispose: () => this.#listeners.delete(listener) }
  }

  /** Reads all again; rejects with what went wrong first, when all are done. */
  async refresh(signal: AbortSignal): Promise<void> {
    await this.#all((document) => document.read(this.#stopping(signal)))
  }

  /** Rejects where a document has never been read. */
  async check(signal: AbortSignal): Promise<void> {
    await this.#all((document) => document.check(this.#stopping(signal)))
  }

  async close(): Promise<void> {
    this.#closing.abort(new WeirError('CONNECTION_UNAVAILABLE', 'The connection was closed.'))
    this.#listeners.clear()
    await Promise.all(this.#documents.map((document) => document.close()))
  }

  async #all(work: (document: LiveDocument) => Promise<boolean>): Promise<void> {
    const ended = await Promise.allSettled(this.#documents.map((document) => this.#follow(work(document))))
    const failed = ended.find(({ status }) => status === 'rejected')
    if (failed !== undefined) throw (failed as PromiseRejectedResult).reason
  }

  /** Takes over what a reading changed, whoever asked for it. */
  async #follow(reading: Promise<boolean>): Promise<void> {
    if (!(await reading) || this.#closing.signal.aborted) return
    this.#tools = this.#list()
    for (const listener of [...this.#listeners]) listener()
  }

  #list(): readonly Tool[] {
    const all = this.#documents.flatMap(({ api, plans }) => plans.map((plan) => ({ api, plan })))
    const counts = new Map<string, number>()
    for (const { plan } of all) counts.set(plan.name, (counts.get(plan.name) ?? 0) + 1)
    return all.map(({ api, plan }) => {
      const isOwn = counts.get(plan.name) === 1
      return this.#make(plan, isOwn ? plan.name : addHash(plan.name, `${api.name} ${plan.name}`), api)
    })
  }

  #make(plan: OperationPlan, name: string, api: Api): Tool {
    const known = this.#made.get(plan)
    if (known?.name === name) return known
    const tool = toTool(plan, name, api) as Tool
    this.#made.set(plan, tool)
    return tool
  }

  #stopping(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#closing.signal])
  }
}

/** Resolves with it, or without it after a while; a failure within that time is left for `check` to tell. */
async function waitAtMost(reading: Promise<void>, waitMs: number, clock: Clock): Promise<void> {
  let stop = () => {}
  const late = new Promise<void>((resolve) => {
    const timer = clock.setTimer(resolve, waitMs)
    stop = () => timer.cancel()
  })
  await Promise.race([reading.catch(() => {}), late])
  stop()
}
