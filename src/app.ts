import type { Readable, Writable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { type Base, createBase, identity } from './app/base.ts'
import { openExecution } from './app/open-execution.ts'
import { openHttp } from './app/open-http.ts'
import { readContents } from './app/read-contents.ts'
import { configureLog, createReloading } from './app/reloading.ts'
import { createCatalog, type OpenCatalog } from './catalog/catalog.ts'
import type { Config, LoadedConfig } from './config/config.ts'
import { parseConfig } from './config/load.ts'
import { planReload, type ReloadPlan } from './config/plan-reload.ts'
import type { Approval, ApprovalStore } from './core/approval.ts'
import type { Executor } from './core/call.ts'
import { systemClock } from './core/clock.ts'
import type { AnyConnector } from './core/connector.ts'
import { WeirError } from './core/error.ts'
import type { Stores } from './core/stores.ts'
import { exposePools } from './egress/expose-pools.ts'
import { compileJsonSchema } from './execution/json-schema-validator.ts'
import { createMcpFrontend } from './frontends/mcp/mcp.ts'
import { createReadiness } from './frontends/operations/readiness.ts'
import { isLoopback } from './frontends/shared/check-origin.ts'
import { createIdentity, type Identity } from './frontends/shared/identity/identity.ts'
import { drainPort, openPort } from './frontends/shared/open-port.ts'
import type { Route } from './frontends/shared/require-caller.ts'
import { deferStores } from './store/defer-stores.ts'
import { openStore } from './store/open-store.ts'
import { findOperatorToken } from './store/operator-token.ts'

export { type Base, createBase, version } from './app/base.ts'
export { WeirError } from './core/error.ts'

/** What one gateway is built from. */
export interface WeirOptions {
  readonly base: Base
  readonly loaded: LoadedConfig
  /** This machine's user, who everybody on loopback is. */
  readonly user: string
  /** Only these connections are opened; all by default. */
  readonly only?: readonly string[]
  /** Reads the configuration again, where it came from; absent where it came from no file. */
  readonly reread?: () => Promise<LoadedConfig>
  /** Told of each call that begins to wait for approval. */
  readonly onApproval?: (approval: Approval) => void
}

/** A running gateway. */
export interface Weir {
  readonly catalog: OpenCatalog
  readonly executor: Executor
  /** The calls that wait for somebody to agree. Whoever embeds Weir operates it. */
  readonly approvals: Pick<ApprovalStore, 'find' | 'list' | 'decide'>
  /** Serves HTTP. Throws BIND_REFUSED or PORT_TAKEN. `routes` says who may use which, for whoever wants to see it held. */
  listen(at?: {
    readonly host?: string
    readonly port?: number
  }): Promise<{ readonly url: string; readonly routes: readonly Route[] }>
  /** Serves one MCP client on a pair of streams; resolves when it leaves. */
  serveStdio(input: Readable, output: Writable): Promise<void>
  /**
   * Takes over another configuration in one step, where it can be taken over without a new start: no call is dropped,
   * and only connections that have changed are opened anew (R14). Says what changed.
   */
  reload(next: LoadedConfig): Promise<ReloadPlan>
  /** What `reload` would do. */
  planReload(next: LoadedConfig): ReloadPlan
  /** Takes no more calls, lets those under way end for at most `drainMs` (20,000), and closes everything (R13). */
  close(drainMs?: number): Promise<void>
}

/** With the drain of calls it makes the 30 s of R13. */
const announceMsMax = 10_000

/** Builds a gateway from a checked configuration and begins to open its connections. */
export function createWeir({ base, loaded, user, only, reread, onApproval }: WeirOptions): Weir {
  const { log, metrics } = base
  const { config } = loaded
  configureLog(log, loaded)
  exposePools(base.egress, metrics)
  const clock = systemClock
  const stores = openStores(base, loaded)
  const catalog = createCatalog({
    ...readContents(base, loaded, stores, only),
    targets: stores.targets,
    checkValue: (schema, value) => compileJsonSchema(schema)(value),
    ...{ clock, log, random: Math.random },
  })
  const operatorToken = findOperatorToken(config.store.url, loaded.baseDir)?.read
  const execution = openExecution(base, loaded, stores, { operatorToken, onApproval })
  const { executor, desk } = execution
  const reloading = createReloading(loaded, async (next, before) => {
    await catalog.change(readContents(base, next, stores, only))
    execution.usePolicies(next.config.policies)
    configureLog(log, next, before)
  })
  const callers = createCallers(base, config, stores, user)
  const mcp = createMcpFrontend({
    catalog: { ...catalog, view: (name = reloading.current.config.server.toolset) => catalog.view(name) },
    executor,
    server: identity,
    log,
    clock,
    sessionKey: config.server.sessionKey,
  })
  let http: FastifyInstance | undefined
  const readiness = createReadiness(clock)

  return {
    catalog,
    executor,
    approvals: desk,
    async listen(at = {}) {
      const { host, port } = { ...config.server, ...at }
      if (config.auth === undefined) refuseOpenHost(host)
      const reload = reloading.from(reread)
      const parts = { catalog, execution, callers, mcp, readiness, operatorToken, reload }
      const opened = openHttp(base, config.server, parts)
      http = opened.http
      return { url: await openPort(http, host, port), routes: opened.routes }
    },
    serveStdio: (input, output) => mcp.serveStdio(input, output, callers.local),
    planReload: (next) => planReload(reloading.current.config, next.config),
    reload: reloading.take,
    async close(drainMs = 20_000) {
      await readiness.announceStop(Math.min(drainMs, announceMsMax))
      // Who waits for a decision is told that there is none yet, and collects it later.
      desk.close()
      // Streams that wait for events are ended, and told so.
      mcp.endWaiting()
      if (http !== undefined) await drainPort(http, drainMs)
      await catalog.close()
      await execution.close()
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
export function openStores({ log }: Base, { config, secrets, baseDir }: LoadedConfig): Stores {
  const { keep: keepMs, rowsMax } = config.audit
  const audit = { keepMs, rowsMax }
  const url = config.store.url
  return deferStores(
    () => openStore({ url, baseDir, log, audit, secrets: () => secrets.list() }),
    systemClock,
  )
}

/** Every configured way to know a caller. */
function createCallers(
  { egress, log, metrics }: Base,
  { auth, roles, policies, server }: Config,
  { apiKeys: keys }: Stores,
  user: string,
): Identity {
  return createIdentity({
    ...{ auth, roles, user, keys, egress, clock: systemClock, log, metrics },
    publicUrl: server.publicUrl,
    denied: Object.keys(policies).filter((pattern) => policies[pattern]?.isDenied === true),
  })
}

/** The operator's credential of this configuration, made where there is none yet; undefined where nothing is kept. */
export async function readOperatorToken({ config, baseDir }: LoadedConfig): Promise<string | undefined> {
  return findOperatorToken(config.store.url, baseDir)?.read()
}

function refuseOpenHost(host: string): void {
  if (isLoopback(host)) return
  throw new WeirError('BIND_REFUSED', `Weir will not listen on ${host}: no authentication is configured.`, {
    hint: 'Configure `auth`, or listen on 127.0.0.1 and put what authenticates in front of it.',
  })
}
