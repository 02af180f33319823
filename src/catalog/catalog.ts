import type { Catalog, Disposable, Entry, Named, View } from '../core/catalog.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { type ConnectionSlot, type ConnectionSource, createConnectionSlot } from './connection-slot.ts'
import { nameTool } from './name-tool.ts'

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
  let entriesById = new Map<string, Entry>()
  let idsByTool = new Map<string, string[]>()

  const rebuild = () => {
    entriesById = new Map(slots.flatMap((slot) => slot.entries.map((entry) => [entry.id, entry] as const)))
    idsByTool = new Map()
    for (const { id, target } of entriesById.values()) {
      idsByTool.set(target.name, [...(idsByTool.get(target.name) ?? []), id])
    }
    views.get('')?.replace(prefixed(slots))
    for (const slot of slots) views.get(slot.name)?.replace(unprefixed(slot))
  }
  const slots = sources.map((source) =>
    createConnectionSlot(source, { clock, log, random, onChange: rebuild }),
  )
  const settled = Promise.all(slots.map((slot) => slot.settled)).then(() => {})
  views.set('', createView(log, prefixed(slots)))
  for (const slot of slots) views.set(slot.name, createView(log, unprefixed(slot)))
  rebuild()

  return {
    find: (id) => entriesById.get(id),
    candidates: (toolName) => idsByTool.get(toolName) ?? [],
    view: (name = '') => views.get(name),
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

/** Sorted by name, so that the list is the same whatever the order in which connections came up. */
function prefixed(slots: readonly ConnectionSlot[]): readonly Named[] {
  return slots
    .flatMap((slot) => slot.entries.map((entry) => ({ name: nameTool(slot.name, entry.target.name), entry })))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** In the connection's own order, which is stable already. */
function unprefixed(slot: ConnectionSlot): readonly Named[] {
  return slot.entries.map((entry) => ({ name: entry.target.name, entry }))
}

interface LiveView extends View {
  replace(named: readonly Named[]): void
}

function createView(log: Logger, initial: readonly Named[]): LiveView {
  const listeners = new Set<() => void>()
  let version = 0
  let offered: readonly Named[] = []
  let list: readonly Named[] = []
  let byName = new Map<string, Entry>()

  // A listener that fails is its own fault, and takes nothing from the others.
  const tell = (listener: () => void) => {
    try {
      listener()
    } catch (thrown) {
      log.error({ cause: thrown instanceof Error ? thrown.stack : String(thrown) }, 'A listener failed.')
    }
  }
  const replace = (named: readonly Named[]) => {
    if (sameList(named, offered)) return
    offered = named
    byName = new Map()
    list = named.filter(({ name, entry }) => {
      const other = byName.get(name)
      if (other === undefined) byName.set(name, entry)
      else log.error({ name, kept: other.id, dropped: entry.id }, 'Two tools share one name.')
      return other === undefined
    })
    version += 1
    for (const listener of [...listeners]) tell(listener)
  }
  replace(initial)

  return {
    replace,
    get version() {
      return version
    },
    find: (name) => byName.get(name),
    list: () => list,
    onChange(listener): Disposable {
      listeners.add(listener)
      return { dispose: () => listeners.delete(listener) }
    },
  }
}

function sameList(a: readonly Named[], b: readonly Named[]): boolean {
  return (
    a.length === b.length && a.every(({ name, entry }, i) => b[i]?.name === name && b[i]?.entry === entry)
  )
}
