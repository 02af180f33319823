import type { Dispatcher } from 'undici'
import type { StopSignal } from '../core/cancellation.ts'
import type { Timer } from '../core/clock.ts'
import { WeirError } from '../core/error.ts'
import { decodeBody, isIdentity, tooLarge, undecodable } from './decode-body.ts'
import type { ChunkListener, EgressRequest, EgressResponse, ResponseHead, ResponseStream } from './egress.ts'
import { explainFailure, isBreak } from './explain-failure.ts'
import type { OriginPool } from './origin-pools.ts'
import { followRedirect, type Hop, isRedirect } from './redirect.ts'
import type { Waiter } from './socket-limit.ts'
import type { RequestCarrier } from './socket-pool.ts'

/** What an exchange needs of its client. */
export interface ExchangeHost {
  readonly connectTimeoutMs: number
  /** Takes a slot of the pool, or queues the exchange; throws OVERLOADED where the queue is full. */
  enter(exchange: Exchange): boolean
  giveUp(exchange: Exchange): boolean
  leave(pool: OriginPool): void
  /** The pool for one more hop. Throws what its guard says. */
  place(url: URL): OriginPool
  setTimer(callback: () => void, delayMs: number): Timer
}

/** What an exchange does to the request that is under way for it. */
export type RequestController = Pick<Dispatcher.DispatchController, 'abort' | 'pause' | 'resume'>

const defaultTimeoutMs = 30_000
const defaultResponseBytesMax = 16 * 1024 * 1024
const emptyBody = Buffer.alloc(0)

/**
 * One request from call to last byte, redirects included. It is undici's handler, the waiter for a socket
 * and the abort listener in one object, because the hot path pays for every object it makes.
 */
export class Exchange implements Dispatcher.DispatchHandler, Waiter, ResponseStream {
  readonly #host: ExchangeHost
  readonly #request: EgressRequest
  readonly #resolve: (response: EgressResponse) => void
  readonly #reject: (reason: Error) => void
  readonly #headersTimeoutMs: number
  readonly #bodyTimeoutMs: number
  readonly #bytesMax: number
  #hop: Hop
  #hops = 0
  #controller: RequestController | undefined
  #totalTimer: Timer | undefined
  #waitTimer: Timer | undefined
  #settled = false
  #sent = false
  #reason: Error | undefined
  #head: ResponseHead | undefined
  #next: Hop | undefined
  #listener: ChunkListener | undefined
  #chunks: Buffer | Buffer[] | undefined
  #bytes = 0
  slots: OriginPool
  /** Set by the pool once it has chosen a socket. */
  carrier: RequestCarrier | undefined

  constructor(
    host: ExchangeHost,
    pool: OriginPool,
    hop: Hop,
    request: EgressRequest,
    resolve: (response: EgressResponse) => void,
    reject: (reason: Error) => void,
  ) {
    this.#host = host
    this.slots = pool
    this.#hop = hop
    this.#request = request
    this.#resolve = resolve
    this.#reject = reject
    this.#headersTimeoutMs = request.headersTimeoutMs ?? defaultTimeoutMs
    this.#bodyTimeoutMs = request.bodyTimeoutMs ?? defaultTimeoutMs
    this.#bytesMax = request.responseBytesMax ?? defaultResponseBytesMax
  }

  /** Begins. Whatever goes wrong from here on rejects the promise. */
  begin(): void {
    const { signal, totalTimeoutMs } = this.#request
    if (signal?.aborted === true) {
      this.#fail(abortReason(signal))
      return
    }
    signal?.addEventListener('abort', this)
    if (totalTimeoutMs !== undefined)
      this.#totalTimer = this.#startTimer(totalTimeoutMs, 'gave no complete answer')
    this.#enter()
  }

  /** Called by the signal. */
  handleEvent(): void {
    this.abort(abortReason(this.#request.signal))
  }

  /** Called when the exchange has its slot. */
  start(): void {
    this.#waitTimer?.cancel()
    const { method, headers, body, path } = this.#hop
    this.slots.dispatcher.dispatch(
      {
        path,
        method,
        headers: headers as string[],
        body: body ?? null,
        headersTimeout: this.#headersTimeoutMs,
        bodyTimeout: this.#bodyTimeoutMs,
      },
      this,
    )
  }

  abort(reason: Error): void {
    if (this.#settled) return
    this.#reason ??= reason
    if (this.#controller !== undefined) this.#controller.abort(reason)
    else {
      // Waiting for a slot or for a stream; or undici has it, and is told in onRequestStart.
      this.#host.giveUp(this)
      this.carrier?.onGiveUp()
      this.#fail(reason)
    }
  }

  pause(): void {
    this.#controller?.pause()
  }

  resume(): void {
    this.#controller?.resume()
  }

  /**
   * The moment before the first byte: from here on the request counts as sent. undici may come here twice
   * for one dispatch; a request that may have left is never sent again (R3).
   */
  onRequestStart(controller: RequestController): void {
    if (this.#settled || this.#controller !== undefined) {
      controller.abort(this.#reason ?? Object.assign(new Error('The socket broke.'), { code: 'ECONNRESET' }))
    } else {
      this.#controller = controller
      this.#sent = true
      this.carrier?.onBegin()
    }
  }

  onResponseStart(controller: RequestController, status: number, headers: ResponseHead['headers']) {
    if (status < 200) return
    try {
      this.#readHead({ status, headers })
    } catch (thrown) {
      this.#stop(controller, thrown)
    }
  }

  onResponseData(controller: RequestController, chunk: Buffer): void {
    this.#bytes += chunk.length
    try {
      if (this.#bytes > this.#bytesMax) throw tooLarge(this.slots.origin, this.#bytesMax)
      if (this.#listener !== undefined) this.#listener(chunk)
      else if (this.#next === undefined) this.#keep(chunk)
    } catch (thrown) {
      this.#stop(controller, thrown)
    }
  }

  onResponseEnd(): void {
    this.#controller = undefined
    this.#host.leave(this.slots)
    if (this.#settled) return
    if (this.#next !== undefined) this.#follow(this.#next)
    else this.#finish(this.#head!)
  }

  onResponseError(_controller: unknown, thrown: Error): void {
    this.#host.leave(this.slots)
    if (this.#settled) return
    const cause = this.carrier?.explain(thrown) ?? thrown
    const failure = this.#reason ?? explainFailure(cause, this.#context())
    if (this.#controller !== undefined && isBreak(failure)) this.carrier?.onBreak()
    this.#fail(failure)
  }

  #enter(): void {
    try {
      if (this.#host.enter(this)) this.start()
      else this.#waitTimer = this.#startTimer(this.#headersTimeoutMs, 'had no socket free')
    } catch (thrown) {
      this.#fail(thrown as Error)
    }
  }

  #readHead(head: ResponseHead): void {
    const { status, headers } = head
    const { redirect = 'error' } = this.#request
    this.#head = head
    if (Number(headers['content-length']) > this.#bytesMax && this.#hop.method !== 'HEAD') {
      throw tooLarge(this.slots.origin, this.#bytesMax)
    }
    if (redirect !== 'manual' && isRedirect(status, headers.location)) {
      this.#next = followRedirect(this.#hop, status, headers.location, this.#request, this.#hops)
      return
    }
    this.#listener = this.#request.onHead?.(head, this)
    if (this.#listener !== undefined && !isIdentity(headers['content-encoding'])) {
      throw undecodable(this.slots.origin, headers['content-encoding'])
    }
  }

  #keep(chunk: Buffer): void {
    if (this.#chunks === undefined) this.#chunks = chunk
    else if (Array.isArray(this.#chunks)) this.#chunks.push(chunk)
    else this.#chunks = [this.#chunks, chunk]
  }

  #follow(next: Hop): void {
    this.#hop = next
    this.#hops++
    this.#next = undefined
    this.#bytes = 0
    try {
      this.slots = this.#host.place(next.url)
      this.#enter()
    } catch (thrown) {
      this.#fail(thrown as Error)
    }
  }

  #finish(head: ResponseHead): void {
    const body = Array.isArray(this.#chunks) ? Buffer.concat(this.#chunks) : (this.#chunks ?? emptyBody)
    const encoding = head.headers['content-encoding']
    if (isIdentity(encoding)) {
      this.#succeed(head, body)
      return
    }
    decodeBody(body, encoding, this.#bytesMax, this.slots.origin).then(
      (decoded) => this.#succeed(head, decoded),
      (thrown: Error) => this.#fail(thrown),
    )
  }

  #stop(controller: RequestController, thrown: unknown): void {
    this.#reason ??= thrown as Error
    controller.abort(this.#reason)
  }

  #succeed(head: ResponseHead, body: Buffer): void {
    if (this.#settled) return
    this.#settle()
    this.#resolve({ status: head.status, headers: head.headers, body, url: this.#hop.url.href })
  }

  #fail(reason: Error): void {
    if (this.#settled) return
    this.#reason ??= reason
    this.#settle()
    this.#reject(reason)
  }

  #settle(): void {
    this.#settled = true
    this.#waitTimer?.cancel()
    this.#totalTimer?.cancel()
    this.#request.signal?.removeEventListener('abort', this)
  }

  #startTimer(delayMs: number, what: string): Timer {
    return this.#host.setTimer(() => {
      const { origin } = this.slots
      this.abort(
        new WeirError('UPSTREAM_TIMEOUT', `${origin} ${what} within ${delayMs} ms.`, {
          data: { origin, timeoutMs: delayMs, sent: this.#sent },
        }),
      )
    }, delayMs)
  }

  #context() {
    return {
      origin: this.slots.origin,
      sent: this.#sent,
      headersTimeoutMs: this.#headersTimeoutMs,
      bodyTimeoutMs: this.#bodyTimeoutMs,
      connectTimeoutMs: this.#host.connectTimeoutMs,
    }
  }
}

function abortReason(signal: StopSignal | undefined): WeirError {
  const reason: unknown = signal?.reason
  if (reason instanceof WeirError) return reason
  return new WeirError('CANCELLED', 'The request was given up before its answer came.', { cause: reason })
}
