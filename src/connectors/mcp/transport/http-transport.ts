import { Cancellation, type StopSignal } from '../../../core/cancellation.ts'
import { toWeirError, WeirError } from '../../../core/error.ts'
import type { Logger } from '../../../core/logger.ts'
import type { EgressRequest, EgressTarget, ResponseHead } from '../../../egress/egress.ts'
import { headerNames } from '../../../wire/headers.ts'
import { type JsonRpcRequest, type JsonRpcResponse, renderNotification } from '../../../wire/json-rpc.ts'
import type { Revision } from '../../../wire/model.ts'
import { pause } from '../pause.ts'
import { credentialRefused, protocolError, sessionLost, statusError } from '../upstream-error.ts'
import { Absence } from './absence.ts'
import { type AnswerStream, createAnswerStream } from './answer-stream.ts'
import type { Credential } from './credential.ts'
import { type Exchanged, exchangeMessages } from './exchange-messages.ts'
import { answerBytesMax } from './parse-message.ts'
import { isSessionRefusal, readHttpAnswer } from './read-http-answer.ts'
import { isForAll, type OutgoingRequest, type Transport, type TransportListener } from './transport.ts'

/** A stream that stays open is opened anew after this much, so that no flood goes on for ever (R22). */
const standingStreamBytesMax = 4 * answerBytesMax
/** The wait for the head of a stream that stays open, and for everything that is not a request. */
const asideMs = 5_000
/** Answers to requests of a legacy server that are under way at once; more are not answered. */
const repliesMax = 16
const resumesMax = 5
/** How often one request may be refused for its credential and sent again with another: once for its age, once for its scopes. */
const renewalsMax = 2
const resumeWaitMs = { default: 1_000, max: 10_000 }
const bothTypes = 'application/json, text/event-stream'
/** A look at whether the server is back; by what it answers it shows only that it is there. */
const probeTimeoutMs = 2_000
/** What only asks whether the server is there. */
const questions: ReadonlySet<string> = new Set(['ping', 'server/discover'])
const usableSession = /^[\x21-\x7e]{1,1024}$/

/** Where the server is, and what it gets beside the protocol’s own. */
export interface HttpTransportOptions {
  readonly target: EgressTarget
  /** Configured headers, sent with every request. */
  readonly headers: Readonly<Record<string, string>>
  /** What Weir obtained itself; only ever sent to `target`'s own origin. */
  readonly credential?: Credential | undefined
  readonly log: Logger
}

/** One server behind a URL. Every request is a POST of its own, answered by JSON or by an event stream. */
export class HttpTransport implements Transport {
  readonly #target: EgressTarget
  readonly #listener: TransportListener
  readonly #log: Logger
  readonly #credential: Credential | undefined
  /** What every request carries: the configured headers first, so that none of them overrides one of ours. */
  readonly #constant: readonly string[]
  /** Stops what is under way beside requests when the transport closes. */
  readonly #closing = new Cancellation()
  readonly #absence: Absence
  #revision: Revision | undefined
  #session: string | undefined
  #replies = 0

  constructor(options: HttpTransportOptions, listener: TransportListener) {
    this.#target = options.target
    this.#log = options.log
    this.#credential = options.credential
    this.#listener = listener
    const { origin } = options.target
    this.#absence = new Absence({ origin, probe: (stop) => this.#probe(stop) })
    this.#constant = [...Object.entries(options.headers).flat(), 'content-type', 'application/json']
  }

  get session(): string | undefined {
    return this.#session
  }

  speak(revision: Revision): void {
    this.#revision = revision
  }

  async request(request: OutgoingRequest): Promise<JsonRpcResponse> {
    let session = this.#session
    let got: Exclude<Exchanged, { kind: 'cut' }> | undefined
    do {
      session = this.#session
      this.#absence.refuse()
      try {
        got = await this.#send(request)
      } catch (error) {
        if (request.signal.aborted) this.#cancel(request)
        // Nothing was sent to a server that is away, so once it is back the request goes out for the first time.
        await this.#absence.outlast(error, request.signal, questions.has(request.method))
      }
    } while (got === undefined)
    const head = got.kind === 'body' ? got.answer : got.head
    if (got.kind === 'body' && isSessionRefusal(session, got.answer)) throw sessionLost(head.status)
    const response = got.kind === 'body' ? readHttpAnswer(request.id, got.answer) : got.response
    this.#absence.answered()
    if (request.method === 'initialize') this.#adoptSession(head)
    return response
  }

  async notify(body: string): Promise<void> {
    const frame = { redirect: 'same-origin', headersTimeoutMs: asideMs, totalTimeoutMs: asideMs } as const
    try {
      const headers = this.#authorised(this.#sharedHeaders(bothTypes), await this.#show(this.#closing))
      const post = { ...frame, method: 'POST', headers, body, signal: this.#closing.signal }
      const { status } = await this.#target.request(post)
      if (status >= 400) this.#log.debug({ status }, 'The MCP server refused a notification.')
    } catch (error) {
      this.#log.debug({ error }, 'A notification did not reach the MCP server.')
    }
  }

  async listen(signal: AbortSignal): Promise<'ended' | 'unsupported'> {
    const session = this.#session
    // No request of ours waits on this stream, so no response on it answers anything.
    const onRequest = (request: JsonRpcRequest) => this.#listener.onRequest(request)
    const open = () => this.#openStream({ id: -1, onRequest }, () => {})
    const got = await this.#exchange(this.#getFrame({ signal, silenceMs: 0 }), signal, open)
    if (got.kind !== 'body') return 'ended'
    const { status } = got.answer
    if (isSessionRefusal(session, got.answer)) throw sessionLost(status)
    if (status >= 500) throw statusError(status)
    return 'unsupported'
  }

  /** Ends the session of a legacy server, if there is one; a server may refuse that. */
  async close(): Promise<void> {
    if (this.#closing.reason !== undefined) return
    const message = 'The connection to the MCP server was closed.'
    this.#closing.cancel(new WeirError('CONNECTION_UNAVAILABLE', message))
    this.#absence.close()
    if (this.#session === undefined) return
    const plain = this.#sharedHeaders('application/json')
    this.#session = undefined
    try {
      const headers = this.#authorised(plain, await this.#show(new Cancellation()))
      await this.#target.request({
        ...{ method: 'DELETE', headers, headersTimeoutMs: asideMs, totalTimeoutMs: asideMs },
      })
    } catch (error) {
      this.#log.debug({ error }, 'The session at the MCP server could not be ended.')
    }
  }

  /** One exchange, with the credential as it is then; what the server refuses for it unread may be sent again. */
  async #exchange(
    request: EgressRequest & { readonly headers: readonly string[] },
    stop: StopSignal,
    openStream: (onAnswer: (response: JsonRpcResponse) => void) => AnswerStream,
  ): Promise<Exchanged> {
    const credential = this.#credential
    if (credential === undefined) return exchangeMessages(this.#target, request, openStream)
    for (let left = renewalsMax; ; left -= 1) {
      const shown = credential.header(stop)
      const used = typeof shown === 'object' ? await shown : shown
      const headers = this.#authorised(request.headers, used)
      const got = await exchangeMessages(this.#target, { ...request, headers }, openStream)
      if (got.kind !== 'body' || !credential.isRefusal(got.answer)) return got
      if (left === 0) throw credentialRefused(got.answer.status)
      await credential.renew(got.answer, used, stop)
    }
  }

  #show(stop: StopSignal): string | undefined | Promise<string | undefined> {
    return this.#credential?.header(stop)
  }

  #authorised(headers: readonly string[], value: string | undefined): readonly string[] {
    return value === undefined ? headers : [...headers, 'authorization', value]
  }

  async #send(request: OutgoingRequest): Promise<Exclude<Exchanged, { kind: 'cut' }>> {
    const headers = this.#postHeaders(request)
    const post = { ...this.#frame(request), method: 'POST', headers, body: request.body }
    const open = (onAnswer: (response: JsonRpcResponse) => void) => this.#openStream(request, onAnswer)
    const got = await this.#exchange(post, request.signal, open)
    return got.kind === 'cut' ? this.#resume(request, got) : got
  }

  /** Whether a connection can be made. An intermediary's word that nothing stands behind it counts as none. */
  async #probe(signal: StopSignal): Promise<boolean> {
    const headers = [...this.#constant]
    const limits = { headersTimeoutMs: probeTimeoutMs, totalTimeoutMs: probeTimeoutMs }
    try {
      const { status } = await this.#target.request({ ...limits, method: 'OPTIONS', headers, signal })
      return status < 502 || status > 504
    } catch (error) {
      return error instanceof WeirError && error.data?.['sent'] === true
    }
  }

  #frame({ signal, silenceMs }: Pick<OutgoingRequest, 'signal' | 'silenceMs'>): EgressRequest {
    const stands = silenceMs === 0
    return {
      signal,
      redirect: 'same-origin',
      headersTimeoutMs: stands ? asideMs : silenceMs,
      bodyTimeoutMs: silenceMs,
      responseBytesMax: stands ? standingStreamBytesMax : answerBytesMax,
    }
  }

  #getFrame(request: Pick<OutgoingRequest, 'signal' | 'silenceMs'>, lastEventId?: string) {
    const headers = this.#sharedHeaders('text/event-stream')
    if (lastEventId !== undefined) headers.push('last-event-id', lastEventId)
    return { ...this.#frame(request), method: 'GET', headers }
  }

  #sharedHeaders(accept: string): string[] {
    const headers = [...this.#constant, 'accept', accept]
    if (this.#revision !== undefined) headers.push(headerNames.protocolVersion, this.#revision.version)
    if (this.#session !== undefined) headers.push(headerNames.session, this.#session)
    return headers
  }

  #postHeaders({ method, headers }: OutgoingRequest): string[] {
    // A new session is asked for outside any other, and before a revision is settled on.
    if (method === 'initialize') return [...this.#constant, 'accept', bothTypes]
    const all = this.#sharedHeaders(bothTypes)
    if (this.#revision?.era === 'modern') all.push(headerNames.method, method)
    all.push(...headers)
    return all
  }

  #adoptSession({ headers }: ResponseHead): void {
    const session = headers[headerNames.session]
    this.#session = typeof session === 'string' && usableSession.test(session) ? session : undefined
  }

  #openStream(
    { id, onNotification, onRequest }: Pick<OutgoingRequest, 'id' | 'onNotification' | 'onRequest'>,
    onAnswer: (response: JsonRpcResponse) => void,
  ): AnswerStream {
    return createAnswerStream({
      onResponse: (response) => {
        if (response.id === id || (response.id === undefined && 'error' in response)) onAnswer(response)
      },
      onNotification: (notification) => {
        if (isForAll(notification) || onNotification === undefined)
          this.#listener.onNotification(notification)
        else onNotification(notification)
      },
      onRequest: (request) => this.#reply(onRequest(request)),
    })
  }

  #reply(text: string | undefined): void {
    if (text === undefined || this.#replies >= repliesMax) return
    this.#replies += 1
    void this.notify(text).finally(() => {
      this.#replies -= 1
    })
  }

  /** A modern server sees its stream close; a legacy one must be told (R12). */
  #cancel({ id, signal, method }: OutgoingRequest): void {
    if (this.#revision?.era !== 'legacy' || method === 'initialize') return
    const reason = toWeirError(signal.reason).message
    void this.notify(renderNotification('notifications/cancelled', { requestId: id, reason }))
  }

  /** Takes up a legacy stream that ended before its answer, where the server numbers its events. The request itself is never sent again. */
  async #resume(
    request: OutgoingRequest,
    cut: Extract<Exchanged, { kind: 'cut' }>,
  ): Promise<Exclude<Exchanged, { kind: 'cut' }>> {
    let got: Exchanged = cut
    for (let left = resumesMax; left > 0 && this.#revision?.era === 'legacy'; left -= 1) {
      const { lastEventId, retryMs = resumeWaitMs.default }: AnswerStream = got.stream
      if (lastEventId === undefined) break
      await pause(Math.min(retryMs, resumeWaitMs.max), request.signal)
      const get = this.#getFrame(request, lastEventId)
      got = await this.#exchange(get, request.signal, (onAnswer) => this.#openStream(request, onAnswer))
      if (got.kind === 'streamed') return got
      if (got.kind === 'body') break
    }
    throw cut.error ?? protocolError('The MCP server ended its answer before it was complete.')
  }
}
