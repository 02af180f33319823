import { Cancellation } from '../../core/cancellation.ts'
import type { Disposable } from '../../core/catalog.ts'
import type { Connection } from '../../core/connector.ts'
import { WeirError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import type { Answer } from '../../core/outcome.ts'
import { isObject } from '../../core/parse-json.ts'
import type { RunContext, Target } from '../../core/tool.ts'
import type { JsonRpcNotification } from '../../wire/json-rpc.ts'
import type { Implementation } from '../../wire/model.ts'
import { type CallTarget, callTool } from './call-tool.ts'
import { Client } from './client.ts'
import type { Era } from './greet.ts'
import { AllFollower } from './news/follow-all.ts'
import { EachFollower } from './news/follow-each.ts'
import { ResourceWatches, type Watched } from './news/resource-watches.ts'
import { watchChanges } from './news/watch-changes.ts'
import { Surface } from './surface/surface.ts'
import type { Transport, TransportListener } from './transport/transport.ts'
import { modernErrorCodes, upstreamCode } from './upstream-error.ts'

/** How the server is reached, and how long its calls may take. */
export interface McpConnectionOptions {
  readonly kind: 'stdio' | 'http'
  readonly connect: (listener: TransportListener) => Transport
  readonly self: Implementation
  readonly log: Logger
  readonly timeoutMs: number
  readonly roots?: readonly string[] | undefined
  readonly hesitationMs: number
  /** Lets go of what the transport stood on. */
  readonly release?: () => Promise<void>
}

/** One upstream server, all that it offers ours to serve. */
export class McpConnection implements Connection {
  readonly #options: McpConnectionOptions
  readonly #client: Client
  readonly #surface: Surface
  readonly #watches: ResourceWatches
  readonly #closing = new Cancellation()
  readonly #changeListeners = new Set<() => void>()
  readonly #closeListeners = new Set<(cause: Error) => void>()
  #listening: AbortController | undefined
  #death: WeirError | undefined
  /** Only a process dies; a server behind a URL is waited for. */
  readonly onClose?: (listener: (cause: Error) => void) => Disposable

  constructor(options: McpConnectionOptions) {
    this.#options = options
    if (options.kind === 'stdio') this.onClose = (listener) => this.#onDeath(listener)
    this.#client = new Client({
      ...options,
      onNews: (notification) => this.#takeNews(notification),
      onRenewed: () => this.#afterRenewal(),
      onDeath: (cause) => this.#die(cause),
    })
    const client = this.#client
    const { log, timeoutMs, kind } = options
    const { signal } = this.#closing
    this.#surface = new Surface({
      ...{ client, log, timeoutMs, kind, signal },
      runTool: (target, input, context) => this.#call(target, input, context),
      onChange: () => {
        for (const listener of [...this.#changeListeners]) listener()
      },
    })
    const createFollower = (watched: Watched) =>
      client.era === 'modern'
        ? new AllFollower(client, watched, log, signal)
        : new EachFollower(client, watched, log, signal)
    this.#watches = new ResourceWatches(createFollower, log)
  }

  /** Greets the server and reads its lists. After a rejection the connection must still be closed. */
  async open(era: Era | 'auto', signal: AbortSignal): Promise<void> {
    await this.#client.open(era, signal)
    await this.#surface.open(signal)
    // What it said before it died is no surface: a catalog would take tools away that it only failed to read.
    if (this.#death !== undefined) throw this.#death
    void watchChanges({
      listen: (watching) => this.#listen(watching),
      onGap: () => this.#afterGap(),
      log: this.#options.log,
      signal: this.#closing.signal,
    })
  }

  targets(): readonly Target[] {
    return this.#surface.targets()
  }

  watch(uri: string, listener: () => void): Disposable | undefined {
    const resources = this.#client.capabilities['resources']
    if (!isObject(resources) || resources['subscribe'] !== true) return undefined
    return this.#closing.aborted ? undefined : this.#watches.add(uri, listener)
  }

  /** Asking a process for its era may cost it its life, so the answer is worth keeping. */
  notes(): Readonly<Record<string, string>> {
    return { era: this.#client.era }
  }

  refresh(signal: AbortSignal): Promise<void> {
    return this.#surface.refresh(signal)
  }

  onChange(listener: () => void): Disposable {
    this.#changeListeners.add(listener)
    return { dispose: () => this.#changeListeners.delete(listener) }
  }

  #onDeath(listener: (cause: Error) => void): Disposable {
    // The server may have died between its opening and this line.
    if (this.#death !== undefined) queueMicrotask(() => listener(this.#death as Error))
    else this.#closeListeners.add(listener)
    return { dispose: () => this.#closeListeners.delete(listener) }
  }

  check(signal: AbortSignal): Promise<void> {
    return this.#client.check(signal)
  }

  async close(): Promise<void> {
    this.#stop('The connection to the MCP server was closed.')
    await this.#client.close()
    await this.#options.release?.()
  }

  #stop(why: string): void {
    this.#closing.cancel(new WeirError('CONNECTION_UNAVAILABLE', why))
    this.#closeListeners.clear()
    this.#changeListeners.clear()
    this.#surface.close()
    this.#watches.close()
  }

  #takeNews({ method, params }: JsonRpcNotification): void {
    if (method === 'notifications/resources/updated') this.#watches.updated(params['uri'])
    else this.#surface.takeNews(method)
  }

  #afterRenewal(): void {
    this.#surface.markStale()
    this.#watches.renewed()
    this.#listening?.abort()
  }

  /** A modern server's word on resources comes on a stream of its own, which minds its own gaps. */
  #afterGap(): void {
    this.#surface.markStale()
    if (this.#client.era === 'legacy') this.#watches.missed()
  }

  #die(cause: WeirError): void {
    if (this.#closing.reason !== undefined) return
    this.#death = cause
    const listeners = [...this.#closeListeners]
    this.#stop(cause.message)
    for (const listener of listeners) listener(cause)
  }

  #listen(signal: AbortSignal): Promise<'ended' | 'unsupported'> {
    this.#listening = new AbortController()
    return this.#client.listen(AbortSignal.any([signal, this.#listening.signal]))
  }

  async #call(target: CallTarget, input: unknown, context: RunContext): Promise<Answer> {
    try {
      return await callTool(this.#client, target, input, context)
    } catch (error) {
      if (upstreamCode(error) !== modernErrorCodes.headerMismatch) throw error
      // The server refused the headers unread: perhaps the tool has changed since it was listed.
      await this.#surface.refreshTools()
      const fresh = this.#surface.tool(target.name)?.call
      if (fresh === undefined || JSON.stringify(fresh) === JSON.stringify(target)) throw error
      return callTool(this.#client, fresh, input, context)
    }
  }
}
