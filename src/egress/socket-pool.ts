import { Client, type Dispatcher, Pool } from 'undici'
import type { Exchange } from './exchange.ts'
import type { ConnectTarget, OnConnected } from './guarded-connect.ts'
import type { SocketRecord, SocketTally } from './socket-tally.ts'

/** Carries requests to one origin. */
export interface RequestPool {
  readonly destroyed: boolean
  dispatch(options: Dispatcher.DispatchOptions, exchange: Exchange): unknown
  /** Takes no more requests; idle sockets close, the others after their request. */
  close(): Promise<unknown>
  /** Closes every socket; requests under way fail. */
  destroy(): Promise<unknown>
}

/** What carries one request, and is told what becomes of it. */
export interface RequestCarrier {
  /** The request begins on the carrier's socket. */
  onBegin(): void
  /** The socket broke under the request. */
  onBreak(): void
  /** What really happened to a request that ended with this error, if the carrier knows. */
  explain(thrown: Error): Error
  /** The request is not wanted any more, and has not begun. */
  onGiveUp(): void
}

/** How the sockets of one origin are opened and kept. */
export interface SocketPoolOptions {
  readonly connect: (target: ConnectTarget, done: OnConnected) => void
  readonly tally: SocketTally
  readonly connectionsPerOrigin: number
  readonly idleTimeoutMs: number
}

/** The largest head of an answer. */
export const responseHeadBytesMax = 16_384

/** The sockets to one origin that speak HTTP/1.1: one request on each at a time. */
export function createSocketPool(origin: string, options: SocketPoolOptions): RequestPool {
  const pool = new Pool(origin, {
    connections: options.connectionsPerOrigin,
    pipelining: 1,
    keepAliveTimeout: options.idleTimeoutMs,
    maxHeaderSize: responseHeadBytesMax,
    allowH2: false,
    // Said outright, because undici otherwise reads it from the environment.
    useMilo: false,
    factory: (url, clientOptions) => new CountedClient(url, clientOptions, options),
  })
  return pool as RequestPool
}

/** One socket after another, each with its record. */
class CountedClient extends Client implements RequestCarrier {
  readonly #tally: SocketTally
  readonly #current: { record?: SocketRecord | undefined }

  constructor(url: URL, clientOptions: object, { connect, tally }: SocketPoolOptions) {
    const current: { record?: SocketRecord | undefined } = {}
    super(url, {
      ...clientOptions,
      connect: (target, done) =>
        connect(target, (error, socket, record) => {
          current.record = record
          done(...([error, socket] as Parameters<typeof done>))
        }),
    })
    this.#tally = tally
    this.#current = current
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    // The pool has chosen this socket; the exchange says when it really begins.
    ;(handler as Exchange).carrier = this
    return super.dispatch(options, handler)
  }

  onBegin(): void {
    if (this.#current.record !== undefined) this.#tally.carry(this.#current.record)
  }

  // A TLS alert is followed by the end of the socket, which is all that undici reports.
  explain(thrown: Error): Error {
    const isVague = (thrown as NodeJS.ErrnoException).code === 'UND_ERR_SOCKET'
    return (isVague ? this.#current.record?.error : undefined) ?? thrown
  }

  // undici has no way to take a request back; it learns of it when the request would begin.
  onGiveUp(): void {}

  onBreak(): void {
    if (this.#current.record !== undefined) this.#tally.break(this.#current.record)
  }
}
