import type { Disposable, View } from '../../../core/catalog.ts'
import { WeirError } from '../../../core/error.ts'
import { coalesce } from './coalesce.ts'

/** Resources that one subscriber follows. */
export const watchesMax = 1_000
/** The same for all of them together. */
const allWatchesMax = 10_000
/** Each one is kept for as long as it is followed. */
const uriCharsMax = 2_048

/** The resources that one subscriber follows. */
export interface WatchSet extends Disposable {
  readonly size: number
  /** False where nothing tells of changes of the URI. Following it twice is once. Throws OVERLOADED at the bound. */
  add(view: View, uri: string): boolean
  delete(uri: string): void
}

/** A subscriber that can be out of reach for a while. */
export interface Absentee {
  isAway(): boolean
  /** Disposes its set: one who hears nothing must not keep those out who would hear. */
  giveUp(): void
}

/**
 * Makes sets that share one bound. `changed` is called with the URI as its client knows it, once a turn of the event
 * loop, and not for one that is followed no more. At the bound, of those who are away gives up who last added one the
 * longest time ago.
 */
export type CreateWatchSet = (changed: (uri: string) => void, absentee?: Absentee) => WatchSet

/** Begins with none. */
export function createResourceWatches(): CreateWatchSet {
  let all = 0
  const absentees = new Map<WatchSet, Absentee>()
  const makeRoom = (asking: WatchSet) => {
    for (const [set, absentee] of absentees) {
      if (set !== asking && absentee.isAway()) return absentee.giveUp()
    }
  }
  return (changed, absentee) => {
    const watches = new Map<string, Disposable>()
    const say = coalesce((uri) => {
      if (watches.has(uri)) changed(uri)
    })
    const remove = (uri: string) => {
      const watch = watches.get(uri)
      if (watch === undefined) return
      watches.delete(uri)
      all -= 1
      watch.dispose()
    }
    const set: WatchSet = {
      get size() {
        return watches.size
      },
      add(view, uri) {
        if (watches.has(uri)) return true
        if (uri.length > uriCharsMax) return false
        if (watches.size >= watchesMax) throw tooMany(watchesMax, 'by this subscriber')
        if (all >= allWatchesMax) makeRoom(set)
        if (all >= allWatchesMax) throw tooMany(allWatchesMax, 'in all')
        const watch = view.watch(uri, () => say(uri))
        if (watch === undefined) return false
        watches.set(uri, watch)
        all += 1
        absentees.delete(set)
        if (absentee !== undefined) absentees.set(set, absentee)
        return true
      },
      delete: remove,
      dispose() {
        for (const uri of [...watches.keys()]) remove(uri)
        absentees.delete(set)
      },
    }
    return set
  }
}

function tooMany(max: number, whose: string): WeirError {
  return new WeirError('OVERLOADED', `${max} resources are followed already ${whose}.`, {
    hint: 'Unsubscribe from one, or try again later.',
  })
}
