import { lookup as dnsLookup } from 'node:dns'
import { systemClock } from '../core/clock.ts'
import type { Egress, EgressOptions } from './egress.ts'
import { PooledClient } from './pooled-client.ts'
import { SocketTally } from './socket-tally.ts'

const namesMax = 1_000

/** Makes the one way out. `app.ts` makes one for all of Weir and hands it to whoever sends requests. */
export function createEgress(options: EgressOptions): Egress {
  const { log, clock = systemClock, lookup = dnsLookup } = options
  const clients = new Map<PooledClient, string>()
  /** What closed clients did, so that a counter never goes down. */
  const past = new Map<string, SocketTally>()
  const note = (tallies: Map<string, SocketTally>, name: string, tally: SocketTally) => {
    const known = tallies.has(name) || tallies.size < namesMax ? name : '_other'
    tallies.set(known, (tallies.get(known) ?? new SocketTally()).add(tally))
  }
  return {
    client(clientOptions = {}) {
      const client = new PooledClient(clientOptions, {
        ...{ log, clock, lookup },
        onClose: () => {
          note(past, clients.get(client)!, client.tally)
          clients.delete(client)
        },
      })
      clients.set(client, clientOptions.name ?? 'other')
      return client
    },
    stats() {
      const now = new Map<string, SocketTally>()
      for (const [name, tally] of past) note(now, name, tally)
      for (const [client, name] of clients) note(now, name, client.tally)
      return new Map([...now].map(([name, tally]) => [name, tally.render({})]))
    },
    async close() {
      await Promise.all([...clients.keys()].map((client) => client.close()))
    },
  }
}
