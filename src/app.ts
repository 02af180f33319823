import type { Readable, Writable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import manifest from '../package.json' with { type: 'json' }
import { createCatalog, type OpenCatalog } from './catalog/catalog.ts'
import { createPinReview, type PinReview } from './catalog/pins/pins.ts'
import type { ConnectionSource } from './catalog/slot/connection-slot.ts'
import { fingerprintOf } from './catalog/slot/fingerprint.ts'
import type { Config, LoadedConfig } from './config/config.ts'
import { parseConfig } from './config/load.ts'
import { createConnectors } from './connectors/index.ts'
import type { Person } from './core/authorisation.ts'
import type { Executor } from './core/call.ts'
import { type Clock, systemClock } from './core/clock.ts'
import type { AnyConnector } from './core/connector.ts'
import { WeirError } from './core/error.ts'
import { type Logger, logWith } from './core/logger.ts'
import type { PinStore, Stores } from './core/stores.ts'
import { createEgress } from './egress/create-egress.ts'
import type { Egress } from './egress/egress.ts'
import { exposePools } from './egress/expose-pools.ts'
import { createExecutor } from './execution/executor.ts'
import { compileJsonSchema } from './execution/json-schema-validator.ts'
import { createDoor } from './execution/limits/door.ts'
import { createStages } from './execution/pipeline.ts'
import { RedisLink } from './execution/redis/redis-link.ts'
import { createPolicyResolver } from './execution/resolve-policy.ts'
import { createMcpFrontend, type McpFrontend } from './frontends/mcp/mcp.ts'
import { operations } from './frontends/operations/operations.ts'
import { rest } from './frontends/rest/rest.ts'
import { admitThrough, createLocalAuthenticate } from './frontends/shared/authenticate.ts'
import { isLoopback } from './frontends/shared/check-origin.ts'
import { createHttpServer } from './frontends/shared/http-server.ts'
import { deferStores } from './store/defer-stores.ts'
import { openStore } from './store/open-store.ts'
import { createLog, type Log } from './telemetry/log.ts'
import { createMetrics } from './telemetry/metrics.ts'

export { WeirError } from './core/error.ts'

/** This release, as package.json has it. */
export const version: string = manifest.version

/** Who Weir says it is, to clients and to upstream servers. */
const identity = Object.freeze({ name: 'weir', version })

/** What every Weir of a process shares, and what must be there before a configuration can be read. */
export interface Base {
  readonly log: Log
  readonly egress: Egress
  /** Every kind of system there is: the built-in ones and the embedder's own. */
  readonly connectors: readonly AnyConnector[]
}

/**
 * `hostEnv`: the process's environment, of which upstream servers inherit a short list (S9). `person`: whoever is at
 * hand to agree when an upstream server asks for consent; without one that is done beforehand, by `weir auth`.
 */
export function createBase(options: {
  readonly hostEnv: Readonly<Record<string, string | undefined>>
  readonly connectors?: readonly AnyConnector[]
  readonly person?: Person
  readonly log?: Log
}): Base {
  const log = options.log ?? createLog()
  const egress = createEgress({ log, clock: systemClock })
  const { hostEnv, person } = options
  const builtIn = createConnectors({
    ...{ egress, hostEnv, self: identity, compileSchema: compileJsonSchema, importModule },
    ...(person === undefined ? {} : { person }),
  })
  return { log, egress, connectors: [...builtIn, ...(options.connectors ?? [])] }
}

/** The only place where code is loaded by a name from a file; a bundle leaves it as it is. */
function importModule(url: string): Promise<unknown> {
  return import(url)
}

/** What one gateway is built from. */
export interface WeirOptions {
  readonly base: Base
  readonly loaded: LoadedConfig
  /** This machine's user, who everybody on loopback is. */
  readonly user: string
  /** Only these connections are opened; all by default. */
  readonly only?: readonly string[]
}

/** A running gateway. */
export interface Weir {
  readonly catalog: OpenCatalog
  readonly executor: Executor
  /** Serves HTTP. Throws BIND_REFUSED or PORT_TAKEN. */
  listen(at?: { readonly host?: string; readonly port?: number }): Promise<{ readonly url: string }>
  /** Serves one MCP client on a pair of streams; resolves when it leaves. */
  serveStdio(input: Readable, output: Writable): Promise<void>
  /** Takes no more calls, lets those under way end for at most `drainMs` (10,000), and closes everything. */
  close(drainMs?: number): Promise<void>
}

/** Builds a gateway from a checked configuration and begins to open its connections. */
export function createWeir({ base, loaded, user, only }: WeirOptions): Weir {
  const { log } = base
  const { config, secrets } = loaded
  log.configure({ ...config.log, redact: (line) => secrets.redact(line) })
  const metrics = createMetrics()
  exposePools(base.egress, metrics)
  const clock = systemClock
  const stores = openStores(base, loaded)
  const catalog = createCatalog({
    sources: readSources(base, loaded, stores, only),
    toolsets: config.toolsets,
    targets: stores.targets,
    reviewOf: createReviews(config, { store: stores.pins, clock, log }),
    checkValue: (schema, value) => compileJsonSchema(schema)(value),
    ...{ clock, log, random: Math.random },
  })
  const redis = config.redis === undefined ? undefined : new RedisLink(config.redis, { clock, log })
  redis?.connect()
  const executor = createExecutor({
    stages: createStages({ log, metrics, clock, ...(redis && { redis }) }),
    resolvePolicy: createPolicyResolver(config.policies),
  })
  const door = createDoor(config.server.rateLimit, clock)
  const authenticate = admitThrough(door, createLocalAuthenticate(user))
  const chosen = config.server.toolset
  const mcp = createMcpFrontend({
    catalog: chosen === undefined ? catalog : { ...catalog, view: (name = chosen) => catalog.view(name) },
    executor,
    authenticate,
    server: identity,
    log,
    clock,
    sessionKey: config.server.sessionKey,
  })
  let http: FastifyInstance | undefined
  let isServing = true

  return {
    catalog,
    executor,
    async listen(at = {}) {
      const { host, port } = { ...config.server, ...at }
      refuseOpenHost(host)
      http = createHttpServer(config.server, log, { door })
      mcp.serveHttp(http)
      rest(http, { catalog, executor, authenticate, server: identity, log })
      operations(http, { catalog, metrics, clock, isServing: () => isServing })
      return { url: await bind(http, host, port) }
    },
    serveStdio: (input, output) => mcp.serveStdio(input, output, authenticate({ headers: {} })),
    async close(drainMs = 10_000) {
      isServing = false
      await drain(http, mcp, drainMs)
      await catalog.close()
      redis?.close()
      await stores.close()
      await base.egress.close()
      log.flush()
    },
  }
}

/** For programs that embed Weir: `config` is what `weir.yaml` would hold. */
export function embedWeir(options: {
  readonly config: Readonly<Record<string, unknown>>
  readonly connectors?: readonly AnyConnector[]
  readonly baseDir?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly user?: string
}): Weir {
  const { config, connectors = [], baseDir = '.', env = {}, user = 'embedder' } = options
  const base = createBase({ hostEnv: env, connectors })
  const loaded = parseConfig({
    // A program that embeds Weir keeps what it wants kept: nothing is written unless it says where.
    text: JSON.stringify({ store: { url: 'sqlite::memory:' }, ...config }),
    path: `${baseDir}/weir.yaml`,
    env,
    connectors: base.connectors,
    readFile: () => {
      throw new Error('an embedded configuration reads no files')
    },
  })
  return createWeir({ base, loaded, user })
}

/** What this configuration keeps across restarts, opened by the first who needs it. */
export function openStores({ log }: Base, { config, baseDir }: LoadedConfig): Stores {
  return deferStores(() => openStore({ url: config.store.url, baseDir, log }), systemClock)
}

/** Every connection's definitions are looked at, whichever command opens it. */
function createReviews(
  { connections }: Config,
  parts: { readonly store: PinStore; readonly clock: Clock; readonly log: Logger },
): (connection: string) => PinReview {
  return (connection) => {
    const { pinning: mode = 'warn', trustFirst = true } = connections[connection]!
    return createPinReview({ connection, mode, trustFirst, ...parts })
  }
}

function readSources(
  { connectors, log }: Base,
  { config, baseDir }: LoadedConfig,
  { credentials }: Stores,
  only: readonly string[] | undefined,
): ConnectionSource[] {
  const byType = new Map(connectors.map((connector) => [connector.type, connector]))
  return Object.entries(config.connections)
    .filter(([name]) => only === undefined || only.includes(name))
    .map(([name, { type, config: own, isLazy, idleMs }]) => ({
      name,
      type,
      ...(isLazy === undefined ? {} : { isLazy }),
      ...(idleMs === undefined ? {} : { idleMs }),
      // A lazy connection, too, is listed before it is open.
      ...(byType.get(type)!.isUpstream === true || isLazy === true
        ? { fingerprint: fingerprintOf(type, own) }
        : {}),
      open: (signal, notes) =>
        byType.get(type)!.open(own, {
          ...{ name, baseDir, signal, credentials },
          log: logWith({ connection: name }, log),
          ...(notes && { notes }),
        }),
    }))
}

function refuseOpenHost(host: string): void {
  if (isLoopback(host)) return
  throw new WeirError('BIND_REFUSED', `Weir will not listen on ${host}: no authentication is configured.`, {
    hint: 'Listen on 127.0.0.1, and put what authenticates in front of it.',
  })
}

async function bind(http: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await http.listen({ host, port })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause
    throw new WeirError('PORT_TAKEN', `Port ${port} of ${host} is taken.`, {
      hint: 'Stop what listens there, or choose another with --port.',
      data: { host, port },
      cause,
    })
  }
}

const sweepEveryMs = 50

/** Calls under way may end; streams that wait for events are ended, and told so. */
async function drain(http: FastifyInstance | undefined, mcp: McpFrontend, drainMs: number): Promise<void> {
  mcp.endWaiting()
  if (http === undefined) return
  let isCutOff = false
  const cutOff = setTimeout(() => {
    isCutOff = true
    http.server.closeAllConnections()
  }, drainMs)
  // A client keeps its connection for a next request; once the last answer is out, nothing else would end it.
  const sweep = setInterval(() => http.server.closeIdleConnections(), sweepEveryMs)
  await http.close()
  clearInterval(sweep)
  clearTimeout(cutOff)
  // A socket says that it is closed at the end of the event loop's turn. Whoever runs a call that was cut off hears of
  // it there, and so before the connection that the call uses is closed under it.
  if (isCutOff) for (let turns = 0; turns < 2; turns += 1) await nextTurn()
}
