import { isDeepStrictEqual } from 'node:util'
import type { Catalog, ConnectionStatus, Entry, SearchOptions, View } from '../core/catalog.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { TargetStore } from '../core/stores.ts'
import type { Tool } from '../core/tool.ts'
import type { PinReview } from './pins/pins.ts'
import { reviewMemory, reviewSource } from './pins/review-source.ts'
import { closeOccupant, type Occupant, Place, retire } from './place.ts'
import { createToolSearch, type ToolSearch } from './search/tool-search.ts'
import {
  type ConnectionSlot,
  type ConnectionSource,
  createConnectionSlot,
  type SlotParts,
} from './slot/connection-slot.ts'
import { endsWithin } from './slot/open-within.ts'
import type { CheckValue } from './toolsets/override-tool.ts'
import { createToolsetView, type Toolset, type ToolsetView } from './toolsets/toolset.ts'
import { warnOfIdlePatterns } from './toolsets/warn-of-idle-patterns.ts'
import { createPrefixedView, createUnprefixedView, type LiveView } from './view.ts'

/** What a catalog is made of. */
export interface CatalogParts extends CatalogContents {
  readonly clock: Clock
  readonly log: Logger
  readonly random: () => number
  /** Checks the values that overrides fix. Without it such tools are left out. */
  readonly checkValue?: CheckValue
  /** Where it is remembered what connections offer; nothing outlives the process without it. */
  readonly targets?: TargetStore
}

/** What a catalog holds, all of which can be changed while it is used. */
export interface CatalogContents {
  readonly sources: readonly ConnectionSource[]
  /** Selections by name, which no connection may have. */
  readonly toolsets?: Readonly<Record<string, Toolset>>
  /** What decides which definitions of a connection may be served (S13); all of them without it. */
  readonly reviewOf?: (connection: string) => PinReview
}

/** A catalog that owns its connections. */
export interface OpenCatalog extends Catalog {
  /**
   * Holds this instead, in one step (R14): connections of the same identity stay as they are, new ones have had their
   * time to open before anybody sees them, and old ones are closed when their calls have ended. One change at a time.
   */
  change(contents: CatalogContents): Promise<void>
  /** Closes every connection; resolves when all are gone. */
  close(): Promise<void>
}

/** New connections get so long to open before they are shown as they are; longer would hold up the whole change. */
const openBeforeMs = 10_000

/** Opens every connection at once; none waits for another, and none that fails takes another's tools away (R6). */
export function createCatalog(parts: CatalogParts): OpenCatalog {
  const live = new LiveCatalog(parts)
  // A plain object, for whoever takes a part of it.
  return {
    find: (id) => live.find(id),
    candidates: (toolName) => live.candidates(toolName),
    view: (name) => live.view(name),
    search: (query, options) => live.search(query, options),
    connections: () => live.connections(),
    settled: (timeoutMs) => live.settled(timeoutMs),
    proven: (timeoutMs) => live.proven(timeoutMs),
    change: (contents) => live.change(contents),
    close: () => live.close(),
  }
}

/** A selection, and the view that it has as long as it has its name. */
interface Selection {
  readonly view: ToolsetView
  toolset: Toolset
}

class LiveCatalog implements OpenCatalog {
  readonly #parts: CatalogParts
  readonly #openedMs: number
  readonly #places: Place[] = []
  readonly #selections = new Map<string, Selection>()
  readonly #closing = new AbortController()
  readonly #retiring = new Set<Promise<void>>()
  readonly #all: LiveView
  readonly #search: ToolSearch
  #toolsById = new Map<string, Entry<Tool>>()
  #idsByTool = new Map<string, string[]>()

  constructor(parts: CatalogParts) {
    this.#parts = parts
    this.#openedMs = parts.clock.monotonicMs()
    this.#all = createPrefixedView(this.#places, parts.log)
    for (const source of parts.sources)
      this.#places.push(this.#createPlace(source.name, this.#createOccupant(source, parts.reviewOf)))
    this.#select(parts.toolsets ?? {})
    this.#rebuild()
    this.#search = createToolSearch(this.#all.tools)
    void this.#whenAll('settled').then(() => this.#warnOfIdle())
  }

  find(id: string): Entry<Tool> | undefined {
    return this.#toolsById.get(id)
  }

  candidates(toolName: string): readonly string[] {
    return this.#idsByTool.get(toolName) ?? []
  }

  view(name = ''): View | undefined {
    if (name === '') return this.#all
    return this.#places.find((place) => place.name === name)?.view ?? this.#selections.get(name)?.view
  }

  async search(query: string, options: SearchOptions): Promise<readonly Entry<Tool>[]> {
    return (await this.#search.search(query, options)).map(({ entry }) => entry)
  }

  connections(): readonly ConnectionStatus[] {
    return this.#places.map(({ occupant }) => occupant!.slot.status)
  }

  settled(timeoutMs: number): Promise<void> {
    return this.#until('settled', timeoutMs)
  }

  proven(timeoutMs: number): Promise<void> {
    return this.#until('proven', timeoutMs)
  }

  async change({ sources, toolsets = {}, reviewOf }: CatalogContents): Promise<void> {
    const next = sources.map((source) => {
      const place = this.#places.find(({ name }) => name === source.name)
      const isKept = source.identity !== undefined && place?.occupant?.identity === source.identity
      const occupant = isKept ? place!.occupant! : this.#createOccupant(source, reviewOf)
      return { name: source.name, place, occupant }
    })
    const fresh = next.filter(({ place, occupant }) => place?.occupant !== occupant)
    const opened = Promise.all(fresh.map(({ occupant }) => occupant.slot.settled)).then(() => {})
    await endsWithin(this.#parts.clock, Promise.race([opened, aborted(this.#closing.signal)]), openBeforeMs)
    if (this.#closing.signal.aborted) {
      await Promise.all(fresh.map(({ occupant }) => closeOccupant(occupant)))
      return
    }
    // From here to the end nothing waits: whoever looks sees the one or the other.
    const before = this.#places.map((place) => ({ place, occupant: place.occupant! }))
    const changed = next.map(({ name, place = this.#createPlace(name), occupant }) => {
      place.occupant = occupant
      return place
    })
    for (const { place, occupant } of before) {
      if (!changed.includes(place)) place.occupant = undefined
      if (place.occupant !== occupant) this.#leave(occupant)
    }
    this.#places.splice(0, this.#places.length, ...changed)
    this.#select(toolsets)
    this.#rebuild([...before.map(({ place }) => place), ...changed])
    void this.#whenAll('settled').then(() => this.#warnOfIdle())
  }

  async close(): Promise<void> {
    this.#closing.abort()
    const occupants = this.#places.map(({ occupant }) => occupant!)
    await Promise.all([...occupants.map(closeOccupant), ...this.#retiring])
  }

  #rebuild(changed: readonly Place[] = this.#places): void {
    const entries = this.#places.flatMap((place) => place.entries)
    this.#toolsById = new Map(entries.filter(isTool).map((entry) => [entry.id, entry]))
    this.#idsByTool = new Map()
    for (const { id, target } of this.#toolsById.values()) {
      this.#idsByTool.set(target.name, [...(this.#idsByTool.get(target.name) ?? []), id])
    }
    this.#all.refresh()
    for (const { view } of changed) view.refresh()
    for (const { view } of this.#selections.values()) view.refresh()
  }

  #createOccupant(source: ConnectionSource, reviewOf: CatalogContents['reviewOf']): Occupant {
    const { clock, log, random, targets } = this.#parts
    const review = reviewOf?.(source.name)
    const onChange = () => {
      // One that has not taken its place yet, or has lost it, changes nothing.
      const place = this.#places.find(({ occupant }) => occupant?.slot === slot)
      if (place !== undefined) this.#rebuild([place])
    }
    const slot: ConnectionSlot = createReviewedSlot(source, review, { clock, log, random, targets, onChange })
    return { slot, review, identity: source.identity }
  }

  #createPlace(name: string, occupant?: Occupant): Place {
    const place = new Place(name, occupant)
    place.view = createUnprefixedView(place, this.#parts.log)
    return place
  }

  #leave(occupant: Occupant): void {
    const gone: Promise<void> = retire(occupant, this.#parts.clock, this.#closing.signal).finally(() =>
      this.#retiring.delete(gone),
    )
    this.#retiring.add(gone)
  }

  #select(toolsets: Readonly<Record<string, Toolset>>): void {
    const { log, checkValue = refuseToCheck } = this.#parts
    for (const [name, { view }] of this.#selections) {
      if (name in toolsets) continue
      view.change(nothing)
      view.refresh()
      this.#selections.delete(name)
    }
    for (const [name, toolset] of Object.entries(toolsets)) {
      const selection = this.#selections.get(name)
      if (selection === undefined) {
        const view = createToolsetView(name, toolset, { all: this.#all, log, checkValue })
        this.#selections.set(name, { toolset, view })
      } else if (!isDeepStrictEqual(selection.toolset, toolset)) {
        selection.toolset = toolset
        selection.view.change(toolset)
      }
    }
  }

  #warnOfIdle(): void {
    if (this.#closing.signal.aborted) return
    for (const [name, { toolset }] of this.#selections)
      warnOfIdlePatterns(name, toolset, this.#all, this.connections(), this.#parts.log)
  }

  async #whenAll(what: 'settled' | 'proven'): Promise<void> {
    await Promise.all(this.#places.map(({ occupant }) => occupant!.slot[what]))
  }

  async #until(what: 'settled' | 'proven', timeoutMs: number): Promise<void> {
    const { clock } = this.#parts
    // From the start and not from now: who asks late has waited already.
    await endsWithin(clock, this.#whenAll(what), this.#openedMs + timeoutMs - clock.monotonicMs())
  }
}

/** What a toolset becomes that is there no more. */
const nothing: Toolset = { tools: [], exclude: [], prompts: [], resources: [], search: false, pinned: [] }

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** A slot that offers, and remembers, what the review lets through. */
function createReviewedSlot(
  source: ConnectionSource,
  review: PinReview | undefined,
  {
    targets,
    ...shared
  }: Omit<SlotParts, 'targets' | 'review'> & { readonly targets: TargetStore | undefined },
): ConnectionSlot {
  if (review === undefined) return createConnectionSlot(source, { ...shared, ...(targets && { targets }) })
  const slot = createConnectionSlot(reviewSource(source, review), {
    ...shared,
    ...(targets && { targets: reviewMemory(targets, review) }),
    review: (offered) => review.review(offered),
  })
  review.onChange(() => slot.refresh())
  return slot
}

/** What cannot be checked does not fit. */
function refuseToCheck(): never {
  throw new Error('fixed values cannot be checked here')
}

function isTool(entry: Entry): entry is Entry<Tool> {
  return entry.target.kind === 'tool'
}
