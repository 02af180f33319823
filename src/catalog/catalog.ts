import type { Catalog, Entry } from '../core/catalog.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { TargetStore } from '../core/stores.ts'
import type { Tool } from '../core/tool.ts'
import type { PinReview } from './pins/pins.ts'
import { reviewMemory, reviewSource } from './pins/review-source.ts'
import { createToolSearch } from './search/tool-search.ts'
import {
  type ConnectionSlot,
  type ConnectionSource,
  createConnectionSlot,
  type SlotParts,
} from './slot/connection-slot.ts'
import { endsWithin } from './slot/open-within.ts'
import type { CheckValue } from './toolsets/override-tool.ts'
import { createToolsetView, type Toolset } from './toolsets/toolset.ts'
import { warnOfIdlePatterns } from './toolsets/warn-of-idle-patterns.ts'
import { createPrefixedView, createUnprefixedView, type LiveView } from './view.ts'

/** What a catalog is made of. */
export interface CatalogParts {
  readonly sources: readonly ConnectionSource[]
  readonly clock: Clock
  readonly log: Logger
  readonly random: () => number
  /** Selections by name, which no connection may have. */
  readonly toolsets?: Readonly<Record<string, Toolset>>
  /** Checks the values that overrides fix. Without it such tools are left out. */
  readonly checkValue?: CheckValue
  /** Where it is remembered what connections offer; nothing outlives the process without it. */
  readonly targets?: TargetStore
  /** What decides which definitions of a connection may be served (S13); all of them without it. */
  readonly reviewOf?: (connection: string) => PinReview
}

/** A catalog that owns its connections. */
export interface OpenCatalog extends Catalog {
  /** Closes every connection; resolves when all are gone. */
  close(): Promise<void>
}

/** Opens every connection at once; none waits for another, and none that fails takes another's tools away (R6). */
export function createCatalog(parts: CatalogParts): OpenCatalog {
  const { sources, clock, log, random, targets, reviewOf, toolsets = {}, checkValue = refuseToCheck } = parts
  const openedMs = clock.monotonicMs()
  const views = new Map<string, LiveView>()
  let isClosed = false
  const selected = Object.entries(toolsets)
  const selections: LiveView[] = []
  let toolsById = new Map<string, Entry<Tool>>()
  let idsByTool = new Map<string, string[]>()

  const rebuild = (slot?: ConnectionSlot) => {
    toolsById = new Map(
      slots.flatMap(({ entries }) => entries.filter(isTool).map((entry) => [entry.id, entry])),
    )
    idsByTool = new Map()
    for (const { id, target } of toolsById.values()) {
      idsByTool.set(target.name, [...(idsByTool.get(target.name) ?? []), id])
    }
    views.get('')?.refresh()
    for (const { name } of slot === undefined ? slots : [slot]) views.get(name)?.refresh()
    for (const view of selections) view.refresh()
  }
  const reviews = new Map(sources.map(({ name }) => [name, reviewOf?.(name)]))
  const slots = sources.map((source): ConnectionSlot => {
    const shared = { clock, log, random, targets, onChange: () => rebuild(slot) }
    const slot: ConnectionSlot = createReviewedSlot(source, reviews.get(source.name), shared)
    return slot
  })
  const settled = Promise.all(slots.map((slot) => slot.settled)).then(() => {})
  const proven = Promise.all(slots.map((slot) => slot.proven)).then(() => {})
  const untilOr = async (done: Promise<void>, timeoutMs: number) => {
    // From the start and not from now: who asks late has waited already.
    await endsWithin(clock, done, openedMs + timeoutMs - clock.monotonicMs())
  }
  const all = createPrefixedView(slots, log)
  views.set('', all)
  for (const slot of slots) views.set(slot.name, createUnprefixedView(slot, log))
  for (const [name, toolset] of selected) {
    const view = createToolsetView(name, toolset, { all, log, checkValue })
    views.set(name, view)
    selections.push(view)
  }
  rebuild()
  const search = createToolSearch(all.tools)
  void settled.then(() => {
    const status = slots.map((slot) => slot.status)
    if (!isClosed) for (const [name, toolset] of selected) warnOfIdlePatterns(name, toolset, all, status, log)
  })

  return {
    find: (id) => toolsById.get(id),
    candidates: (toolName) => idsByTool.get(toolName) ?? [],
    view: (name = '') => views.get(name),
    search: async (query, options) => (await search.search(query, options)).map(({ entry }) => entry),
    connections: () => slots.map((slot) => slot.status),
    settled: (timeoutMs) => untilOr(settled, timeoutMs),
    proven: (timeoutMs) => untilOr(proven, timeoutMs),
    async close() {
      isClosed = true
      await Promise.all(slots.map((slot) => slot.close()))
      await Promise.all([...reviews.values()].map((review) => review?.close()))
    },
  }
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
