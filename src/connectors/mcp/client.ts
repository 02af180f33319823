import type { StopSignal } from '../../core/cancellation.ts'
import { WeirError } from '../../core/error.ts'
import { type LogLevel, logLevels } from '../../core/event.ts'
import type { Logger } from '../../core/logger.ts'
import type { RunContext } from '../../core/tool.ts'
import {
  type JsonRpcNotification,
  type JsonRpcRequest,
  type JsonRpcResponse,
  renderNotification,
  renderRequest,
  renderResponse,
} from '../../wire/json-rpc.ts'
import { hasExtension, type Implementation, type RequestMeta, tasksExtension } from '../../wire/model.ts'
import { newestLegacy, newestModern } from '../../wire/revisions/index.ts'
import { abandonOn } from '../shared/abandon-on.ts'
import { type Era, type Greeting, greet } from './greet.ts'
import { subscribe } from './news/subscribe.ts'
import type { Answered, Conversation } from './questions/conversation.ts'
import { Conversations } from './questions/conversations.ts'
import { runWithin } from './run-within.ts'
import { readListNews } from './surface/list-kinds.ts'
import {
  isForAll,
  type OutgoingRequest,
  type Transport,
  type TransportListener,
} from './transport/transport.ts'
import { isSessionLost, methodNotFound, parseUpstreamError, upstreamCode } from './upstream-error.ts'

/** Waits for what is asked beside calls once the connection is up: a new session, a log level, a page of tools. */
const controlMs = 30_000
/** How long a request stays open while its caller is asked, and a little more. */
const answerMs = 11 * 60_000
/** What Weir can carry to its callers. Which of it the caller of a call can, the server learns when it asks. */
const offered = {
  elicitation: { form: {}, url: {} },
  sampling: { tools: {} },
  roots: { listChanged: true },
}
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
  /** What a legacy server is told when it asks for roots; without them a caller is asked. */
  readonly roots?: readonly string[] | undefined
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
  Partial<Pick<OutgoingRequest, 'headers' | 'wantsLog' | 'onNotification' | 'onRequest'>> & {
    readonly meta?: RequestMeta
    /** Asks the server for progress. */
    readonly wantsProgress?: boolean
  }

/** The same for a request on behalf of a call, which may come back with questions. */
export type ConverseOptions = Omit<RequestOptions, 'signal' | 'onNotification' | 'onRequest'> & {
  /** Tells what is asked for: the answers to the questions of one request are no answers to another. */
  readonly what: string
  /** Gets what belongs to the request, for the call that waits on it then. Must not throw. */
  readonly hear: (notification: JsonRpcNotification, context: RunContext) => void
  /** Goes on with what a legacy server answered first, by requests that belong to the same call. */
  readonly follow?: (answered: Fields, request: Follow) => Promise<Fields>
}

type Fields = Record<string, unknown>
type Follow = (method: string, params: object) => Promise<Fields>

/** Speaks MCP of either era over any transport: greets, numbers requests, heals lost sessions (R7). */
export class Client implements TransportListener {
  readonly #transport: Transport
  readonly #options: ClientOptions
  readonly #conversations: Conversations
  #greeting: Greeting = { revision: newestModern, capabilities: {} }
  #lastId = 0
  #renewing: Promise<void> | undefined
  /** The mildest level a legacy server was told to log, as an index; one past the end: none. */
  #logLevel: number = logLevels.length

  constructor(options: ClientOptions) {
    this.#options = options
    const send = (text: string) => void this.#transport.notify(text)
    this.#conversations = new Conversations({ send, roots: options.roots, log: options.log })
    this.#transport = options.connect(this)
  }

  get era(): Era {
    return this.#greeting.revision.era
  }

  get capabilities(): Greeting['capabilities'] {
    return this.#greeting.capabilities
  }

  /** Whether the server, a modern one, may make tasks of calls. */
  get hasTasks(): boolean {
    return this.era === 'modern' && hasExtension(this.capabilities, tasksExtension)
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

  /** Sends a request on behalf of a call. A legacy server may push questions while it runs; a modern one answers with them. */
  converse(method: string, params: object, options: ConverseOptions, context: RunContext): Promise<Answered> {
    const { what, hear } = options
    if (this.era === 'modern') {
      const onNotification = (notification: JsonRpcNotification) => hear(notification, context)
      return this.request(method, params, { ...options, signal: context.stop, onNotification })
    }
    return this.#conversations.run(
      `${method} ${what}`,
      (conversation) => {
        const request: Follow = (asked, more) =>
          this.request(asked, more, this.#conversing(conversation, options))
        const first = request(method, params)
        return options.follow === undefined
          ? first
          : first.then((answered) => options.follow!(answered, request))
      },
      context,
    )
  }

  #conversing(conversation: Conversation, { hear, follow: _, ...options }: ConverseOptions): RequestOptions {
    return {
      ...options,
      // The call that waits is bounded by its deadline, and a question by its own; this stands behind both.
      silenceMs: options.silenceMs + answerMs,
      signal: conversation.stop,
      onRequest: (request) =>
        this.#takeRequest(request, () => this.#conversations.takeFrom(conversation, request)),
      onNotification: (notification) => {
        conversation.hear(notification)
        if (!conversation.isHeld) hear(notification, conversation.context)
      },
    }
  }

  /** A request beside the calls, with a time limit of its own. */
  control(
    method: string,
    params: object,
    signal: AbortSignal = never,
    more: Pick<RequestOptions, 'headers' | 'meta'> = {},
  ): Promise<Record<string, unknown>> {
    const send = (inner: AbortSignal) =>
      this.request(method, params, { ...more, signal: inner, silenceMs: controlMs })
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
    this.#conversations.close(new WeirError('CONNECTION_UNAVAILABLE', 'The connection was closed.'))
    return this.#transport.close()
  }

  onNotification(notification: JsonRpcNotification): void {
    if (isForAll(notification)) this.#options.onNews(notification)
    this.#conversations.hear(notification)
  }

  onRequest(request: JsonRpcRequest): string | undefined {
    return this.#takeRequest(request, () => this.#conversations.take(request))
  }

  /** A modern server has no requests to send. */
  #takeRequest(request: JsonRpcRequest, take: () => string | undefined): string | undefined {
    if (this.era === 'modern') return undefined
    return request.method === 'ping' ? renderResponse(request.id, '{}') : take()
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
    const { signal, silenceMs, onNotification, onRequest = this.#onOutside } = options
    return { id, method, body, headers, signal, silenceMs, wantsLog, onNotification, onRequest }
  }

  /** What a server asks on the stream of a request that is no call. */
  readonly #onOutside = (request: JsonRpcRequest): string | undefined =>
    this.#takeRequest(request, () => this.#conversations.takeOutside(request))

  async #initialize(signal: AbortSignal): Promise<JsonRpcResponse> {
    this.#greeting = { revision: newestLegacy, capabilities: {} }
    const { self } = this.#options
    const params = { protocolVersion: newestLegacy.version, capabilities: offered, clientInfo: self }
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
