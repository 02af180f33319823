import { WeirError } from '../../core/error.ts'
import type { Pin, PinStore } from '../../core/stores.ts'

/** Pins in memory, which a test can make fail and hold up. */
export interface HeldPinStore extends PinStore {
  /** What it answers to everything while set. */
  failure: Error | undefined
  /** Set: nothing is answered before it resolves. */
  hold: Promise<void> | undefined
  readonly puts: (readonly Pin[])[]
  lists: number
  /** Everything there is, as `decision kind name`, in order. */
  readonly all: readonly string[]
}

export function createHeldPinStore(): HeldPinStore {
  const pins = new Map<string, Pin>()
  const keyOf = ({
    connection,
    kind,
    name,
    decision,
  }: Pick<Pin, 'connection' | 'kind' | 'name' | 'decision'>) => [connection, kind, name, decision].join('\0')
  const answer = async () => {
    await store.hold
    if (store.failure !== undefined) throw store.failure
  }
  const store: HeldPinStore = {
    failure: undefined,
    hold: undefined,
    puts: [],
    lists: 0,
    get all() {
      return [...pins.values()].map(({ decision, kind, name }) => `${decision} ${kind} ${name}`).sort()
    },
    async list(connection) {
      store.lists += 1
      await answer()
      return [...pins.values()].filter((pin) => connection === undefined || pin.connection === connection)
    },
    async put(given) {
      await answer()
      store.puts.push(given)
      for (const pin of given) pins.set(keyOf(pin), pin)
    },
    async remove(given) {
      await answer()
      for (const pin of given) pins.delete(keyOf(pin))
    },
  }
  return store
}

export const unavailable = new WeirError('CONNECTION_UNAVAILABLE', 'the store is away')
