import { lookup as dnsLookup } from 'node:dns'
import { systemClock } from '../core/clock.ts'
import type { Egress, EgressOptions } from './egress.ts'
import { PooledClient } from './pooled-client.ts'

/** Makes the one way out. `app.ts` makes one for all of Weir and hands it to whoever sends requests. */
export function createEgress(options: EgressOptions): Egress {
  const { log, clock = systemClock, lookup = dnsLookup } = options
  const clients = new Set<PooledClient>()
  return {
    client(clientOptions = {}) {
      const client = new PooledClient(clientOptions, {
        log,
        clock,
        lookup,
        onClose: () => clients.delete(client),
      })
      clients.add(client)
      return client
    },
    async close() {
      await Promise.all([...clients].map((client) => client.close()))
    },
  }
}
