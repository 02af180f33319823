import type { Metrics } from '../telemetry/metrics.ts'
import type { Egress, PoolStats } from './egress.ts'

type Count = Exclude<keyof PoolStats, 'targets'>

const families: readonly (readonly [Count, 'counter' | 'gauge', string])[] = [
  ['connections_created', 'counter', 'Sockets opened to other systems.'],
  ['connections_reused', 'counter', 'Sockets that have carried a second request.'],
  ['connections_closed', 'counter', 'Sockets closed again.'],
  ['health_checks_performed', 'counter', 'Checks of connections, and PINGs over HTTP/2.'],
  ['total_requests', 'counter', 'Requests put on a socket.'],
  ['connection_errors', 'counter', 'Sockets that could not be opened, or broke under a request.'],
  ['active_connections', 'gauge', 'Sockets open now.'],
  [
    'connection_reuse_rate',
    'gauge',
    'Sockets that have carried a second request, in per cent of those that carried one.',
  ],
  ['average_requests_per_connection', 'gauge', 'Requests for each socket that carried one.'],
]

/** Lets `GET /metrics` show what sockets do, by the name of whose they are (D1-087). Nothing is read until it is asked for. */
export function exposePools(egress: Pick<Egress, 'stats'>, metrics: Metrics): void {
  for (const [count, type, help] of families) {
    const name = `weir_egress_${count}${type === 'counter' && !count.startsWith('total') ? '_total' : ''}`
    metrics.collect(name, help, type, () =>
      [...egress.stats()].map(([client, stats]) => ({ labels: { client }, value: stats[count] })),
    )
  }
}
