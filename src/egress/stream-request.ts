import { type ClientHttp2Stream, constants } from 'node:http2'
import { type Dispatcher, errors } from 'undici'
import type { Exchange } from './exchange.ts'
import { type RequestCarrier, type RequestPool, responseHeadBytesMax } from './socket-pool.ts'
import type { StreamSession } from './stream-session.ts'

/** What a request over HTTP/2 needs of its pool. */
export interface StreamRequestHost {
  /** Carries the request on another connection: this one refused it unread. */
  redispatch(request: StreamRequest): void
  /** Takes a request that waits for a stream out of its queue. */
  drop(request: StreamRequest): void
}

/**
 * One request over HTTP/2: a stream of its own, which ends alone. It stands for undici's controller, so that an
 * exchange does not know which protocol carries it.
 */
export class StreamRequest implements RequestCarrier {
  readonly options: Dispatcher.DispatchOptions
  readonly exchange: Exchange
  readonly #host: StreamRequestHost
  #session: StreamSession | undefined
  #stream: ClientHttp2Stream | undefined
  #waitTimer: NodeJS.Timeout | undefined
  #started = false
  #replayed = false
  #hasHead = false
  #isDone = false
  #bytesMissing = Number.NaN
  #error: Error | undefined

  constructor(options: Dispatcher.DispatchOptions, exchange: Exchange, host: StreamRequestHost) {
    this.options = options
    this.exchange = exchange
    this.#host = host
    exchange.carrier = this
  }

  /** Bounds the wait for a stream, where the server allows no more of them for now. */
  waitFor(timeoutMs: number): void {
    this.#waitTimer ??= setTimeout(() => {
      this.#host.drop(this)
      this.fail(new errors.HeadersTimeoutError(`No stream was free within ${timeoutMs} ms.`))
    }, timeoutMs).unref()
  }

  /** The server speaks HTTP/1.1 after all: nothing has begun, and a pool of sockets takes the request as it is. */
  moveTo(pool: RequestPool): void {
    clearTimeout(this.#waitTimer)
    if (!this.#isDone) pool.dispatch(this.options, this.exchange)
  }

  /** Called by a session that has a stream for it; false where it was given up meanwhile. */
  begin(session: StreamSession): boolean {
    clearTimeout(this.#waitTimer)
    this.#waitTimer = undefined
    this.#session = session
    if (this.#started) session.count()
    else {
      this.#started = true
      this.exchange.onRequestStart(this)
    }
    return !this.#isDone
  }

  /** The stream it has from now on. */
  attach(stream: ClientHttp2Stream): void {
    this.#stream = stream
    const { headersTimeout, body } = this.options
    stream.setTimeout(headersTimeout ?? 0, () => this.#onTimeout())
    stream.on('response', (headers) => this.#onHead(headers))
    stream.on('data', (chunk: Buffer) => this.#onData(chunk))
    stream.on('end', () => this.#onEnd())
    stream.on('error', (error) => {
      this.#error = error
    })
    stream.on('close', () => this.#onClose(stream))
    if (body != null) stream.end(body)
  }

  abort(reason: Error): void {
    if (this.#isDone) return
    this.fail(reason)
    this.#reset()
  }

  pause(): void {
    this.#stream?.pause()
  }

  resume(): void {
    this.#stream?.setTimeout(this.options.bodyTimeout ?? 0)
    this.#stream?.resume()
  }

  onBegin(): void {
    this.#session?.count()
  }

  onBreak(): void {
    this.#session?.break()
  }

  explain(thrown: Error): Error {
    return thrown
  }

  onGiveUp(): void {
    if (this.#started) return
    this.#host.drop(this)
    this.fail(new errors.RequestAbortedError())
  }

  /** Ends the request, once. */
  fail(error: Error): void {
    if (this.#isDone) return
    this.#isDone = true
    clearTimeout(this.#waitTimer)
    this.exchange.onResponseError(this, error)
  }

  #onHead(headers: Readonly<Record<string, unknown>>): void {
    if (this.#isDone) return
    const { ':status': status, ...rest } = headers as Record<string, string | string[] | undefined>
    if (sizeOf(rest) > responseHeadBytesMax) {
      this.abort(new errors.HeadersOverflowError())
      return
    }
    this.#hasHead = true
    if (this.options.method !== 'HEAD') this.#bytesMissing = Number(rest['content-length'] ?? Number.NaN)
    this.#stream?.setTimeout(this.options.bodyTimeout ?? 0)
    this.exchange.onResponseStart(this, Number(status), rest)
  }

  #onData(chunk: Buffer): void {
    if (this.#isDone) return
    this.#bytesMissing -= chunk.length
    this.exchange.onResponseData(this, chunk)
  }

  // The other side may have ended the stream without its last piece: what says its length must have it.
  #onEnd(): void {
    if (this.#isDone || !this.#hasHead || this.#bytesMissing > 0 || this.#stream?.rstCode !== 0) return
    this.#isDone = true
    this.exchange.onResponseEnd()
    // The server answered without reading the whole request; it need not read the rest.
    if (this.#stream?.writableFinished === false) this.#reset()
  }

  #onClose(stream: ClientHttp2Stream): void {
    if (this.#isDone || stream !== this.#stream) return
    if (!this.#session!.wasUnread(stream) || this.#hasHead) {
      this.fail(this.#session!.explain(stream, this.#error))
    } else if (this.#replayed) {
      this.fail(new UnreadError())
    } else {
      this.#replayed = true
      this.#host.redispatch(this)
    }
  }

  #onTimeout(): void {
    if (this.#isDone || this.#stream?.isPaused() === true) return
    const session = this.#session
    this.abort(this.#hasHead ? new errors.BodyTimeoutError() : new errors.HeadersTimeoutError())
    // Is it the request that is slow, or is nobody there any more?
    session?.probe()
  }

  #reset(): void {
    const stream = this.#stream
    if (stream === undefined || stream.destroyed) return
    stream.close(constants.NGHTTP2_CANCEL)
    // The frame is on its way; waiting for the stream's own end could keep it for the life of a busy connection.
    stream.destroy()
  }
}

/** The server said, twice, that it did not look at the request (RFC 9113, 8.7): nothing of it took effect. */
class UnreadError extends Error {
  readonly code = 'REFUSED_STREAM'
}

function sizeOf(headers: Readonly<Record<string, string | string[] | undefined>>): number {
  let size = 0
  for (const name in headers) size += name.length + String(headers[name]).length
  return size
}
