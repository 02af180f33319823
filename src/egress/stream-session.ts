import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2'
import type { Socket } from 'node:net'
import type { SocketRecord, SocketTally } from './socket-tally.ts'
import { toStreamHeaders } from './stream-headers.ts'
import type { StreamRequest } from './stream-request.ts'

/** What a session needs, and whom it tells. */
export interface StreamSessionOptions {
  readonly origin: string
  readonly socket: Socket
  readonly record: SocketRecord
  readonly tally: SocketTally
  readonly idleTimeoutMs: number
  /** How long the other side may take to say that it is there. */
  readonly probeTimeoutMs: number
  /** Streams the server allowed on earlier connections. */
  readonly streamsMax: number
  /** The server said how many streams it allows. */
  readonly onLimit: (streamsMax: number) => void
  /** A stream ended: another may begin. */
  readonly onFree: () => void
  readonly onClose: (session: StreamSession) => void
}

/** Streams at once on one connection; the server may allow fewer. */
export const streamsMax = 100
/** What the server may send of one answer before it is read: enough for 12 MB/s at 20 ms. */
const streamWindowBytes = 256 * 1024
const sessionWindowBytes = 4 * streamWindowBytes
const sessionMemoryMb = 64

/** One socket that speaks HTTP/2: many requests at once, each on a stream that ends alone. */
export class StreamSession {
  readonly #options: StreamSessionOptions
  readonly #session: ClientHttp2Session
  readonly #idle: NodeJS.Timeout
  #streams = 0
  #allowed: number
  #isRetired = false
  #lastRead = Number.POSITIVE_INFINITY
  #probe: NodeJS.Timeout | undefined
  #error: Error | undefined

  constructor(options: StreamSessionOptions) {
    this.#options = options
    this.#allowed = options.streamsMax
    this.#session = connect(options.origin, {
      createConnection: () => options.socket,
      peerMaxConcurrentStreams: streamsMax,
      maxSessionMemory: sessionMemoryMb,
      settings: { enablePush: false, initialWindowSize: streamWindowBytes },
    })
    this.#idle = setTimeout(() => this.#closeIdle(), options.idleTimeoutMs).unref()
    this.#session.once('connect', () => this.#session.setLocalWindowSize(sessionWindowBytes))
    this.#session.on('error', (error) => {
      this.#error = error
    })
    this.#session.on('goaway', (_code, lastStreamId) => this.#onGoAway(lastStreamId))
    this.#session.on('remoteSettings', ({ maxConcurrentStreams = streamsMax }) => {
      this.#allowed = Math.min(maxConcurrentStreams, streamsMax)
      options.onLimit(this.#allowed)
      options.onFree()
    })
    this.#session.on('close', () => this.#onClose())
    this.#session.unref()
  }

  /** Whether one more stream may begin now. */
  get isFree(): boolean {
    const session = this.#session
    if (this.#isRetired || this.#probe !== undefined || session.closed || session.destroyed) return false
    return this.#streams < this.#allowed
  }

  /** Begins a request on a stream of its own. Ask `isFree` before. */
  carry(request: StreamRequest): void {
    try {
      const headers = toStreamHeaders(request.options, this.#options.origin)
      if (request.begin(this)) this.#open(request, headers)
    } catch (thrown) {
      request.fail(thrown as Error)
    }
  }

  #open(request: StreamRequest, headers: OutgoingHttpHeaders): void {
    const stream = this.#session.request(headers, { endStream: request.options.body == null })
    this.#streams++
    if (this.#streams === 1) this.#session.ref()
    stream.once('close', () => this.#leave())
    request.attach(stream)
  }

  /** A request began here. */
  count(): void {
    this.#options.tally.carry(this.#options.record)
  }

  /** A request broke off: was it the connection, or this one stream? */
  break(): void {
    if (this.#session.destroyed) this.#options.tally.break(this.#options.record)
  }

  /** Whether the server has said that it did not look at this stream. */
  wasUnread(stream: ClientHttp2Stream): boolean {
    const { id, rstCode } = stream
    return rstCode === constants.NGHTTP2_REFUSED_STREAM || id === undefined || id > this.#lastRead
  }

  /** Why a stream ended without its answer. */
  explain(stream: ClientHttp2Stream, error: Error | undefined): Error {
    const cause = this.#error ?? this.#options.record.error ?? error
    const { code: own = '' } = (cause ?? {}) as NodeJS.ErrnoException
    // A socket that is gone takes its streams with it, each with a code that says nothing.
    const reset = this.#options.socket.destroyed ? undefined : codes[stream.rstCode ?? 0]
    const code = own === '' || own === 'ERR_HTTP2_STREAM_ERROR' ? (reset ?? 'ECONNRESET') : own
    return Object.assign(new Error('The stream ended early.', { cause }), { code })
  }

  /** Asks whether the other side is there; if it does not say so in time, the connection is given up. */
  probe(): void {
    if (this.#probe !== undefined || this.#session.destroyed) return
    this.#options.tally.healthChecks++
    this.#probe = setTimeout(() => {
      this.destroy(Object.assign(new Error('The connection is dead.'), { code: 'ETIMEDOUT' }))
    }, this.#options.probeTimeoutMs).unref()
    this.#session.ping(() => {
      clearTimeout(this.#probe)
      this.#probe = undefined
      this.#options.onFree()
    })
  }

  /** No new streams; the socket closes after the last one. */
  close(): void {
    this.#isRetired = true
    if (!this.#session.destroyed) this.#session.close()
  }

  /** Closes the socket now. */
  destroy(error: Error): void {
    this.#error ??= error
    this.#session.destroy(error)
  }

  #leave(): void {
    this.#streams--
    if (this.#streams === 0 && !this.#session.destroyed) {
      this.#session.unref()
      this.#idle.refresh()
    }
    this.#options.onFree()
  }

  #closeIdle(): void {
    if (this.#streams === 0) this.close()
  }

  #onGoAway(lastStreamId: number): void {
    this.#isRetired = true
    this.#lastRead = lastStreamId
  }

  #onClose(): void {
    clearTimeout(this.#idle)
    clearTimeout(this.#probe)
    this.#options.onClose(this)
  }
}

const errorName =
  /^NGHTTP2_(\w+_ERROR|SETTINGS_TIMEOUT|STREAM_CLOSED|CANCEL|ENHANCE_YOUR_CALM|INADEQUATE_SECURITY|HTTP_1_1_REQUIRED)$/

const codes: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(constants)
    .filter(([name, value]) => Number(value) > 0 && errorName.test(name))
    .map(([name, value]) => [value, name.replace('NGHTTP2_', 'HTTP2_')]),
)
