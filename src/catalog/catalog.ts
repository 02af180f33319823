import type { Catalog, Entry } from '../core/catalog.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Tool } from '../core/tool.ts'
import { type ConnectionSlot, type ConnectionSource, createConnectionSlot } from './connection-slot.ts'
import { createPrefixedView, createUnprefixedView, type LiveView } from './view.ts'

/** What a catalog is made of. */
export interface CatalogParts {
  readonly sources: readonly ConnectionSource[]
  readonly clock: Clock
  readonly log: Logger
  readonly random: () => number
}

/** A catalog that owns its connections. */
export interface OpenCatalog extends Catalog {
  /** Closes every connection; resolves when all are gone. */
  close(): Promise<void>
}

/** Opens every connection at once; none waits for another, and none that fails takes another's tools away (R6). */
export function createCatalog({ sources, clock, log, random }: CatalogParts): OpenCatalog {
  const openedMs = clock.monotonicMs()
  const views = new Map<string, LiveView>()
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
  }
  const slots = sources.map((source): ConnectionSlot => {
    const parts = { clock, log, random, onChange: () => rebuild(slot) }
    const slot: ConnectionSlot = createConnectionSlot(source, parts)
    return slot
  })
  const settled = Promise.all(slots.map((slot) => slot.settled)).then(() => {})
  views.set('', createPrefixedView(slots, log))
  for (const slot of slots) views.set(slot.name, createUnprefixedView(slot, log))
  rebuild()

  return {
    find: (id) => toolsById.get(id),
    candidates: (toolName) => idsByTool.get(toolName) ?? [],
    view: (name = '') => views.get(name),
    search: () => [],
    connections: () => slots.map((slot) => slot.status),
    settled: (timeoutMs) =>
      new Promise((resolve) => {
        // From the start and not from now: who asks late has waited already.
        const remainingMs = openedMs + timeoutMs - clock.monotonicMs()
        if (remainingMs <= 0) return resolve()
        const timer = clock.setTimer(resolve, remainingMs)
        void settled.then(() => {
          timer.cancel()
          resolve()
        })
      }),
    async close() {
      await Promise.all(slots.map((slot) => slot.close()))
    },
  }
}

function isTool(entry: Entry): entry is Entry<Tool> {
  return entry.target.kind === 'tool'
}
