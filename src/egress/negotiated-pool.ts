import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type Dispatcher, errors } from 'undici'
import type { Exchange } from './exchange.ts'
import type { ConnectTarget, OnConnected } from './guarded-connect.ts'
import { createSocketPool, type RequestPool, type SocketPoolOptions } from './socket-pool.ts'
import type { SocketRecord } from './socket-tally.ts'
import { StreamRequest, type StreamRequestHost } from './stream-request.ts'
import { StreamSession, streamsMax } from './stream-session.ts'

/** How a pool that may speak HTTP/2 opens and keeps its connections. */
export interface NegotiatedPoolOptions extends SocketPoolOptions {
  /** Opens a socket that may speak either; `connect` offers HTTP/1.1 alone. */
  readonly negotiate: SocketPoolOptions['connect']
  /** How long a connection may take to be opened, and to say that it lives. */
  readonly connectTimeoutMs: number
}

/**
 * The connections to one origin over TLS, where the first one finds out what the server speaks (ALPN): HTTP/2, and then
 * requests share connections, or HTTP/1.1, and then a pool of sockets takes over, this one the first of them. Requests
 * that come before that is known wait for it, instead of opening a socket each. A connection serves its own origin
 * alone, whatever else its certificate is good for (S12).
 */
export class NegotiatedPool implements RequestPool, StreamRequestHost {
  readonly #origin: string
  readonly #options: NegotiatedPoolOptions
  readonly #target: ConnectTarget
  /** At most as many as requests may be under way to one origin. */
  readonly #waiting = new Set<StreamRequest>()
  readonly #sessions = new Set<StreamSession>()
  /** So that a second connection does not have to be refused what the first one was. */
  #streamsMax = streamsMax
  #plain: RequestPool | undefined
  #isConnecting = false
  #isClosing = false
  #onClosed: (() => void) | undefined
  destroyed = false

  constructor(origin: string, options: NegotiatedPoolOptions) {
    this.#origin = origin
    this.#options = options
    const { host, hostname, port, protocol } = new URL(origin)
    const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
    this.#target = { host, hostname: bare, port, protocol }
  }

  dispatch(options: Dispatcher.DispatchOptions, exchange: Exchange): void {
    if (this.#plain !== undefined) this.#plain.dispatch(options, exchange)
    else if (this.destroyed) exchange.onResponseError(undefined, new errors.ClientDestroyedError())
    else this.redispatch(new StreamRequest(options, exchange, this))
  }

  redispatch(request: StreamRequest): void {
    if (this.#plain !== undefined) {
      this.#plain.dispatch(request.options, request.exchange)
      return
    }
    const session = this.#waiting.size === 0 ? this.#findFree() : undefined
    if (session !== undefined) {
      session.carry(request)
      return
    }
    this.#waiting.add(request)
    // As over HTTP/1.1, the time that a connection takes is not the answer's.
    request.waitFor(this.#options.connectTimeoutMs + (request.options.headersTimeout ?? 0))
    this.#connect()
  }

  drop(request: StreamRequest): void {
    this.#waiting.delete(request)
  }

  close(): Promise<void> {
    this.#isClosing = true
    return new Promise((resolve) => {
      this.#onClosed = resolve
      this.#drain()
    })
  }

  async destroy(): Promise<void> {
    this.destroyed = true
    this.#failWaiting(new errors.ClientDestroyedError())
    for (const session of this.#sessions) session.destroy(new errors.ClientDestroyedError())
    await this.#plain?.destroy()
    this.#onClosed?.()
  }

  #findFree(): StreamSession | undefined {
    for (const session of this.#sessions) if (session.isFree) return session
    return undefined
  }

  #connect(): void {
    if (this.#isConnecting || this.#sessions.size >= this.#options.connectionsPerOrigin) return
    this.#isConnecting = true
    this.#options.negotiate(this.#target, (error, socket, record) => {
      this.#isConnecting = false
      if (error !== null) this.#failWaiting(error)
      else this.#adopt(socket as TLSSocket, record!)
    })
  }

  #adopt(socket: TLSSocket, record: SocketRecord): void {
    if (this.destroyed) socket.destroy()
    else if (socket.alpnProtocol === 'h2') this.#open(socket, record)
    else this.#fallBack(socket, record)
  }

  #open(socket: Socket, record: SocketRecord): void {
    const { tally, idleTimeoutMs, connectTimeoutMs: probeTimeoutMs } = this.#options
    const session = new StreamSession({
      ...{ origin: this.#origin, socket, record, tally, idleTimeoutMs, probeTimeoutMs },
      streamsMax: this.#streamsMax,
      onLimit: (allowed) => {
        this.#streamsMax = allowed
      },
      onFree: () => this.#drain(),
      onClose: (closed) => {
        this.#sessions.delete(closed)
        this.#drain()
      },
    })
    this.#sessions.add(session)
    this.#drain()
  }

  #fallBack(socket: Socket, record: SocketRecord): void {
    let first: Socket | undefined = socket
    const hand = (target: ConnectTarget, done: OnConnected) => {
      const handed = first
      first = undefined
      // Not at once: undici does not look for an answer before it has left its connector.
      if (handed === undefined || handed.destroyed) this.#options.connect(target, done)
      else queueMicrotask(() => done(null, handed, record))
    }
    this.#plain = createSocketPool(this.#origin, { ...this.#options, connect: hand })
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    // Nobody would take the socket, and nobody close it.
    if (waiting.length === 0) socket.destroy()
    for (const request of waiting) request.moveTo(this.#plain)
    if (this.#isClosing) this.#drain()
  }

  /** Gives streams to those that wait, oldest first, and opens another connection for those that are left. */
  #drain(): void {
    for (const request of this.#waiting) {
      const session = this.#findFree()
      if (session === undefined) break
      this.#waiting.delete(request)
      session.carry(request)
    }
    if (this.#waiting.size > 0) this.#connect()
    else if (this.#isClosing) this.#finishClosing()
  }

  #finishClosing(): void {
    for (const session of this.#sessions) session.close()
    if (this.#sessions.size > 0 || this.#isConnecting) return
    this.destroyed = true
    if (this.#plain === undefined) this.#onClosed?.()
    else void this.#plain.close().then(this.#onClosed)
  }

  #failWaiting(error: Error): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const request of waiting) request.fail(error)
    if (this.#isClosing) this.#drain()
  }
}
