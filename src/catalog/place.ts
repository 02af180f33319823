import type { Disposable, Entry, Staleness } from '../core/catalog.ts'
import type { Clock } from '../core/clock.ts'
import type { PinReview } from './pins/pins.ts'
import type { ConnectionSlot } from './slot/connection-slot.ts'
import type { LiveView, Offer } from './view.ts'

/** A connection, and what decides what of it may be served. */
export interface Occupant {
  readonly slot: ConnectionSlot
  readonly review: PinReview | undefined
  /** Of its configuration; undefined where it is never the same as another one. */
  readonly identity: string | undefined
}

/** Calls on a connection that has been replaced get so long to end: as long as those of a Weir that stops (R13). */
const retireMs = 30_000
const lookEveryMs = 100

/** What a name stands for. Whoever holds it keeps it when another connection takes the name over. */
export class Place implements Offer {
  readonly name: string
  occupant: Occupant | undefined
  /** The place alone; made by whoever made the place. */
  declare view: LiveView

  constructor(name: string, occupant: Occupant | undefined) {
    this.name = name
    this.occupant = occupant
  }

  get entries(): readonly Entry[] {
    return this.occupant?.slot.entries ?? []
  }

  get stale(): Staleness | undefined {
    return this.occupant?.slot.stale
  }

  watch(uri: string, listener: () => void): Disposable | undefined {
    return this.occupant?.slot.watch(uri, listener)
  }
}

/** Closes both; resolves when they are gone. */
export async function closeOccupant({ slot, review }: Occupant): Promise<void> {
  await slot.close()
  await review?.close()
}

/** Closes an occupant that has lost its place, once its calls have ended; at once where `signal` says so. */
export async function retire(occupant: Occupant, clock: Clock, signal: AbortSignal): Promise<void> {
  const untilMs = clock.monotonicMs() + retireMs
  while (!signal.aborted && occupant.slot.isBusy && clock.monotonicMs() < untilMs) await pause(clock, signal)
  await closeOccupant(occupant)
}

function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      timer.cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = clock.setTimer(end, lookEveryMs)
    signal.addEventListener('abort', end)
  })
}
