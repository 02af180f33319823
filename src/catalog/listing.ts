import type { Disposable, Entry, Listing, Named } from '../core/catalog.ts'
import type { Logger } from '../core/logger.ts'
import type { Target } from '../core/tool.ts'

/** A listing whose owner may change it. */
export interface LiveListing<T extends Target> extends Listing<T> {
  /** Of two names that are the same the first counts. Tells the listeners only where the list has changed. */
  replace(named: readonly Named<T>[]): void
}

/** Begins with an empty list. */
export function createListing<T extends Target>(log: Logger): LiveListing<T> {
  const listeners = new Set<() => void>()
  let version = 0
  let offered: readonly Named<T>[] = []
  let list: readonly Named<T>[] = []
  let byName = new Map<string, Entry<T>>()

  // A listener that fails is its own fault, and takes nothing from the others.
  const tell = (listener: () => void) => {
    try {
      listener()
    } catch (thrown) {
      log.error({ cause: thrown instanceof Error ? thrown.stack : String(thrown) }, 'A listener failed.')
    }
  }
  return {
    replace(named) {
      if (sameList(named, offered)) return
      offered = named
      byName = new Map()
      list = named.filter(({ name, entry }) => {
        const other = byName.get(name)
        if (other === undefined) byName.set(name, entry)
        else log.error({ name, kept: other.id, dropped: entry.id }, 'Two targets share one name.')
        return other === undefined
      })
      version += 1
      for (const listener of [...listeners]) tell(listener)
    },
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
  return a.length === b.length && a.every((named, i) => isSame(named, b[i]))
}

function isSame(a: Named, b: Named | undefined): boolean {
  return (
    a.name === b?.name &&
    a.entry === b.entry &&
    a.stale?.since === b.stale?.since &&
    a.stale?.cause === b.stale?.cause
  )
}
