import type { FastifyInstance, RouteShorthandOptions } from 'fastify'
import type { Catalog } from '../../core/catalog.ts'
import type { Clock } from '../../core/clock.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { type Readiness, readyRoute } from './readiness.ts'

/** What is asked after. */
export interface OperationsParts {
  readonly catalog: Catalog
  readonly metrics: Metrics
  readonly clock: Clock
  readonly readiness: Readiness
}

const toAll: RouteShorthandOptions = { config: { access: 'public', isUnlimited: true } }

/** What orchestrators and Prometheus ask. Says how many connections are up, and nothing about what they are. */
export function operations(
  server: FastifyInstance,
  { catalog, metrics, clock, readiness }: OperationsParts,
): void {
  // D4-016: exactly these two fields.
  server.get('/health', toAll, () => ({ status: 'healthy', timestamp: new Date(clock.now()).toISOString() }))
  server.get('/livez', toAll, () => ({ status: 'alive' }))
  server.get(readyRoute, toAll, (_request, reply) => {
    const connections = catalog.connections()
    const up = connections.filter(({ state }) => state === 'up').length
    const starting = connections.filter(({ state }) => state === 'starting').length
    // A dead upstream does not make Weir unready: the others are served.
    const isServing = readiness.ask()
    const isReady = isServing && starting === 0
    const status = isServing ? (starting === 0 ? 'ready' : 'starting') : 'stopping'
    return reply.code(isReady ? 200 : 503).send({ status, connections: connections.length, up })
  })
  server.get('/metrics', { config: { access: 'admin:metrics', isUnlimited: true } }, (_request, reply) =>
    reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8').send(metrics.render()),
  )
}
