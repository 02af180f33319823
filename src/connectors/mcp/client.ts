import type { StopSignal } from '../../core/cancellation.ts'
import type { WeirError } from '../../core/error.ts'
import { type LogLevel, logLevels } from '../../core/event.ts'
import type { Logger } from '../../core/logger.ts'
import {
  type JsonRpcNotification,
  type JsonRpcRequest,
  type JsonRpcResponse,
  renderErrorResponse,
  renderNotification,
  renderRequest,
  renderResponse,
} from '../../wire/json-rpc.ts'
import type { Implementation, RequestMeta } from '../../wire/model.ts'
import { newestLegacy, newestModern } from '../../wire/revisions/index.ts'
import { abandonOn } from './abandon-on.ts'
import { type Era, type Greeting, greet } from './greet.ts'
import { readListNews } from './list-kinds.ts'
import { runWithin } from './run-within.ts'
import { subscribe } from './subscribe.ts'
import { isForAll, type OutgoingRequest, type Transport, type TransportListener } from './transport.ts'
import { isSessionLost, methodNotFound, parseUpstreamError, upstreamCode } from './upstream-error.ts'

/** Waits for what is asked beside calls once the connection is up: a new session, a log level, a page of tools. */
const controlMs = 30_000
const never = new AbortController().signal
const noHeaders: readonly string[] = []
const plainMeta: RequestMeta = { clientCapabilities: {} }

/** What a client is made of, and who hears of what happens to its server. */
export interface ClientOptions {
  /** Makes the transport; the client is its listener. */
  readonly connect: (listener: TransportListener) => Transport
  /** Who we say we are. */
  readonly self: Implementation
  readonly log: Logger
  /** How long the server may stay silent on `server/discover` before it is taken for a legacy one, in milliseconds. */
  readonly hesitationMs: number
  /** The server tells of something that concerns no single request: a list or a resource has changed. */
  readonly onNews: (notification: JsonRpcNotification) => void
  /** The server lost its session and has a new one: what was asked of the old one is void. */
  readonly onRenewed: () => void
  readonly onDeath: (cause: WeirError) => void
}

/** What one request adds to the bare method and params. */
export type RequestOptions = Pick<OutgoingRequest, 'signal' | 'silenceMs'> &
  Partial<Pick<OutgoingRequest, 'headers' | 'wantsLog' | 'onNotification'>> & {
    readonly meta?: RequestMeta
    /** Asks the server for progress. */
    readonly wantsProgress?: boolean
  }

/** Speaks MCP of either era over any transport: greets, numbers requests, heals lost sessions (R7). */
export class Client implements TransportListener {
  readonly #transport: Transport
  readonly #options: ClientOptions
  #greeting: Greeting = { revision: newestModern, capabilities: {} }
  #lastId = 0
  #renewing: Promise<void> | undefined
  /** The mildest level a legacy server was told to log, as an index; one past the end: none. */
  #logLevel: number = logLevels.length

  constructor(options: ClientOptions) {
    this.#options = options
    this.#transport = options.connect(this)
  }

  get era(): Era {
    return this.#greeting.revision.era
  }

  get capabilities(): Greeting['capabilities'] {
    return this.#greeting.capabilities
  }

  /** Opens the conversation. `era` is what is known of the server before. */
  async open(era: Era | 'auto', signal: AbortSignal): Promise<void> {
    const opening = {
      hesitationMs: this.#options.hesitationMs,
      discover: (inner: AbortSignal) => {
        this.#transport.speak(newestModern)
        return this.#transport.request(
          this.#compose('server/discover', {}, { signal: inner, silenceMs: controlMs * 20 }),
        )
      },
      initialize: (inner: AbortSignal) => this.#initialize(inner),
    }
    this.#greeting = await greet(opening, era, signal)
    this.#transport.speak(this.#greeting.revision)
    if (this.era === 'legacy') await this.#transport.notify(initialized)
  }

  /** Sends a request and gives its result. Rejects with what the server's error stands for, or with the signal's reason. */
  async request(method: string, params: object, options: RequestOptions): Promise<Record<string, unknown>> {
    if (this.#renewing !== undefined) await abandonOn(options.signal, this.#renewing)
    const request = this.#compose(method, params, options)
    const { session } = this.#transport
    let response: JsonRpcResponse
    try {
      response = await this.#transport.request(request)
    } catch (error) {
      if (!isSessionLost(error)) throw error
      // The server refused the request unread, so sending it again, once, cannot run anything twice.
      await this.#renew(session, options.signal)
      response = await this.#transport.request(request)
    }
    if ('error' in response) throw parseUpstreamError(response.error)
    return response.result
  }

  /** A request beside the calls, with a time limit of its own. */
  control(method: string, params: object, signal: AbortSignal = never): Promise<Record<string, unknown>> {
    const send = (inner: AbortSignal) => this.request(method, params, { signal: inner, silenceMs: controlMs })
    return runWithin(controlMs, signal, method, send)
  }

  /** Resolves if the server answers anything that shows it alive. */
  async check(signal: AbortSignal): Promise<void> {
    try {
      await this.control(this.era === 'modern' ? 'server/discover' : 'ping', {}, signal)
    } catch (error) {
      if (upstreamCode(error) !== methodNotFound) throw error
    }
  }

  /** Waits on the server's own news until they end. `unsupported`: it has none to give. */
  async listen(signal: AbortSignal): Promise<'ended' | 'unsupported'> {
    if (this.era === 'modern') return subscribe(this, readListNews(this.capabilities), signal)
    if (this.#transport.listen === undefined) return 'unsupported'
    const { session } = this.#transport
    try {
      return await this.#transport.listen(signal)
    } catch (error) {
      if (!isSessionLost(error)) throw error
      await this.#renew(session, signal)
      return 'ended'
    }
  }

  /** Sees to it that a legacy server logs at least from this level on; a modern one is told with each request. */
  async wantLog(level: string): Promise<void> {
    const index = logLevels.indexOf(level as LogLevel)
    if (this.era === 'modern' || index < 0 || index >= this.#logLevel) return
    if (this.capabilities['logging'] === undefined) return
    this.#logLevel = index
    await this.control('logging/setLevel', { level }).catch((error: unknown) => {
      this.#options.log.debug({ error, level }, 'The MCP server refused a log level.')
    })
  }

  close(): Promise<void> {
    return this.#transport.close()
  }

  onNotification(notification: JsonRpcNotification): void {
    if (isForAll(notification)) this.#options.onNews(notification)
  }

  onRequest({ id, method }: JsonRpcRequest): string {
    if (method === 'ping') return renderResponse(id, '{}')
    return renderErrorResponse(id, { code: methodNotFound, message: 'Weir declared no capability for this.' })
  }

  onDeath(cause: WeirError): void {
    this.#options.onDeath(cause)
  }

  #compose(method: string, params: object, options: RequestOptions): OutgoingRequest {
    this.#lastId += 1
    const id = this.#lastId
    const { meta = plainMeta, wantsProgress = false, wantsLog = false, headers = noHeaders } = options
    const own = wantsProgress ? { ...meta, progressToken: id } : meta
    const _meta = this.#greeting.revision.renderMeta(own, this.#options.self)
    const body = renderRequest(id, method, { ...params, _meta })
    const { signal, silenceMs, onNotification } = options
    return { id, method, body, headers, signal, silenceMs, wantsLog, onNotification }
  }

  async #initialize(signal: AbortSignal): Promise<JsonRpcResponse> {
    this.#greeting = { revision: newestLegacy, capabilities: {} }
    const { self } = this.#options
    const params = { protocolVersion: newestLegacy.version, capabilities: {}, clientInfo: self }
    return this.#transport.request(this.#compose('initialize', params, { signal, silenceMs: controlMs * 20 }))
  }

  /** One new session for all who miss the old one. */
  #renew(lost: string | undefined, signal: StopSignal): Promise<void> {
    if (this.#transport.session === lost)
      this.#renewing ??= this.#greetAgain().finally(() => (this.#renewing = undefined))
    return this.#renewing === undefined ? Promise.resolve() : abandonOn(signal, this.#renewing)
  }

  async #greetAgain(): Promise<void> {
    await runWithin(controlMs, never, 'initialize', (signal) => this.open('legacy', signal))
    this.#logLevel = logLevels.length
    this.#options.log.info({}, 'The MCP server lost the session; a new one is open.')
    this.#options.onRenewed()
  }
}

const initialized = renderNotification('notifications/initialized', undefined)
