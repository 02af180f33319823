import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type CredentialOwner, type Person, weirItself } from '../../core/authorisation.ts'
import type { Caller } from '../../core/caller.ts'
import { systemClock } from '../../core/clock.ts'
import { type Connector, defineConnector, type OpenContext } from '../../core/connector.ts'
import { WeirError } from '../../core/error.ts'
import type { Egress, EgressTarget } from '../../egress/egress.ts'
import type { Implementation } from '../../wire/model.ts'
import { hasAuthorization, type McpConfig, mcpConfig } from './config.ts'
import type { Era } from './greet.ts'
import { IsolatedConnection } from './isolated-connection.ts'
import { McpConnection } from './mcp-connection.ts'
import { createAuthorisation } from './oauth/authorisation.ts'
import { createOAuth, type OAuth } from './oauth/oauth.ts'
import { runWithin } from './run-within.ts'
import { createChildEnvironment } from './transport/child-environment.ts'
import { HttpTransport } from './transport/http-transport.ts'
import type { Command } from './transport/server-process.ts'
import { SpawnLimit } from './transport/spawn-limit.ts'
import { StdioTransport } from './transport/stdio-transport.ts'
import type { TransportListener } from './transport/transport.ts'

/** What the app lends to every connection of this type. */
export interface McpConnectorOptions {
  /** The way out over HTTP. */
  readonly egress: Egress
  /** The host's environment; a child inherits a few harmless variables of it and no others (S9). */
  readonly hostEnv: Readonly<Record<string, string | undefined>>
  /** Who Weir says it is. */
  readonly self: Implementation
  /**
   * Who agrees where a server wants a person's consent. Without one, as in a gateway, nobody does: calls fail and name
   * the command that asks.
   */
  readonly person?: Person | undefined
}

/** Calls to one server at once, its stream of news, and that of watched resources while another takes its place. */
const socketsMax = 68
/** A caller's own connection is opened for as long as its time limit lets it. */
const never = new AbortController().signal
/** A cold start may take long, so a silent process gets more time than a silent host. */
const hesitationMs = { stdio: 10_000, http: 5_000 }

/** The tools of any other MCP server, over stdio or Streamable HTTP, of every protocol revision. */
export function createMcpConnector(options: McpConnectorOptions): Connector<McpConfig> {
  const limit = new SpawnLimit()
  const openAs = async (
    owner: CredentialOwner,
    config: McpConfig,
    context: OpenContext,
    stop: AbortSignal,
  ) => {
    const connect = await prepare(config, context, options, owner)
    const era = config.era === 'auto' ? readEra(context.notes) : config.era
    const leave = config.command === undefined ? undefined : await limit.enter(stop)
    const open = (signal: AbortSignal) => openInEra(era, config, connect, signal)
    try {
      return await runWithin(config.startTimeout, stop, 'its opening', open)
    } finally {
      leave?.()
    }
  }
  return defineConnector({
    type: 'mcp',
    summary: 'Everything another MCP server offers; run as a command or reached over HTTP.',
    config: mcpConfig,
    isUpstream: true,
    async open(config, context) {
      const shared = await openAs(weirItself, config, context, context.signal)
      const isPerCaller = config.auth?.per === 'caller'
      if (config.isolation === 'shared' && !isPerCaller) return shared
      const known = { ...context, notes: shared.notes() }
      const open = (caller: Caller) => openAs(isPerCaller ? caller : weirItself, config, known, never)
      const { callersMax } = config
      return new IsolatedConnection({ shared, open, clock: systemClock, callersMax })
    },
    authorisation(config, context) {
      const { url } = config
      const isStatic = hasAuthorization(config) || config.auth?.grant === 'client_credentials'
      if (url === undefined || isStatic) return undefined
      const openFor = (owner: CredentialOwner, stop: AbortSignal) => openAs(owner, config, context, stop)
      const oauth = createOAuth({ ...config, url }, context, options.egress)
      return createAuthorisation(oauth, { ...config, ...options, openFor, url })
    },
  })
}

function readEra(notes: OpenContext['notes']): Era | 'auto' {
  const era = notes?.['era']
  return era === 'modern' || era === 'legacy' ? era : 'auto'
}

/** Opens in the era supposed; where the server shows that to be wrong, once more in the other way. */
async function openInEra(
  era: Era | 'auto',
  config: McpConfig,
  connect: () => McpConnection,
  signal: AbortSignal,
): Promise<McpConnection> {
  try {
    return await openOnce(connect(), era, signal)
  } catch (error) {
    const next = config.era === 'auto' ? otherWay(era, error) : undefined
    if (next === undefined || signal.aborted) throw error
    return openOnce(connect(), next, signal)
  }
}

async function openOnce(
  connection: McpConnection,
  era: Era | 'auto',
  signal: AbortSignal,
): Promise<McpConnection> {
  try {
    await connection.open(era, signal)
    return connection
  } catch (error) {
    await connection.close()
    throw exitBehind(error) ?? error
  }
}

/** Whether a server died before or after it could read its first request makes no difference: its exit is what counts. */
function exitBehind(error: unknown): WeirError | undefined {
  const cause = error instanceof WeirError ? error.cause : undefined
  return cause instanceof WeirError && cause.code === 'UPSTREAM_EXITED' ? cause : undefined
}

/** A legacy server may die of a request it does not know; a remembered era may have ended with an update of the server. */
function otherWay(era: Era | 'auto', error: unknown): Era | 'auto' | undefined {
  if (!(error instanceof WeirError)) return undefined
  if (era === 'auto') return error.code === 'UPSTREAM_EXITED' ? 'legacy' : undefined
  return error.code === 'UPSTREAM_ERROR' || error.code === 'UPSTREAM_PROTOCOL' ? 'auto' : undefined
}

async function prepare(
  config: McpConfig,
  context: OpenContext,
  options: McpConnectorOptions,
  owner: CredentialOwner,
): Promise<() => McpConnection> {
  const { baseDir, log } = context
  const { hostEnv, self } = options
  if (config.url !== undefined) return prepareHttp(config.url, config, context, options, owner)
  const cwd = resolve(baseDir, config.cwd ?? '.')
  await checkFolder(cwd)
  const { command = '', args } = config
  const run: Command = { command, args, cwd, env: createChildEnvironment(hostEnv, config.env) }
  return () =>
    new McpConnection({
      ...{ self, log, timeoutMs: config.timeout, roots: config.roots },
      kind: 'stdio',
      hesitationMs: hesitationMs.stdio,
      connect: (listener) => new StdioTransport(run, log, listener),
    })
}

function prepareHttp(
  url: string,
  config: McpConfig,
  context: OpenContext,
  { egress, self, person }: McpConnectorOptions,
  owner: CredentialOwner,
): () => McpConnection {
  const { allowPrivate, headers, timeout, roots } = config
  const { log } = context
  return () => {
    const client = egress.client({
      name: context.name,
      allowPrivate,
      connectionsPerOrigin: socketsMax,
      connectionsMax: socketsMax,
    })
    let target: EgressTarget
    let oauth: OAuth | undefined
    try {
      target = client.target(url)
      oauth = hasAuthorization(config) ? undefined : createOAuth({ ...config, url }, context, egress)
    } catch (error) {
      void client.close()
      throw error
    }
    const credential = oauth?.keeper(owner, person)
    const release = async () => {
      await client.close()
      await oauth?.close()
    }
    const connect = (listener: TransportListener) =>
      new HttpTransport({ target, headers, credential, log }, listener)
    const shared = { self, log, timeoutMs: timeout, roots, hesitationMs: hesitationMs.http }
    return new McpConnection({ ...shared, kind: 'http', connect, release })
  }
}

async function checkFolder(cwd: string): Promise<void> {
  const found = await stat(cwd).catch(() => undefined)
  if (found?.isDirectory() === true) return
  throw new WeirError('CONFIG_INVALID', `The working directory "${cwd}" does not exist or is no folder.`, {
    hint: 'Correct `cwd`; it is relative to the config file.',
  })
}
