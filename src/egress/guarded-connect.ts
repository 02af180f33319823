import { once } from 'node:events'
import { isIP, Socket } from 'node:net'
import { buildConnector } from 'undici'
import { WeirError } from '../core/error.ts'
import type { AddressGuard } from './address-guard.ts'
import type { SocketRecord, SocketTally } from './socket-tally.ts'
import type { TlsMaterial } from './tls-material.ts'

/** Where a socket shall lead. */
export type ConnectTarget = buildConnector.Options

/** What sockets are opened with. */
export interface GuardedConnectOptions {
  readonly guard: AddressGuard
  readonly tally: SocketTally
  readonly connectTimeoutMs: number
}

/** Called once: with an error, or with a socket that is connected and its record. */
export type OnConnected = (error: Error | null, socket: Socket | null, record?: SocketRecord) => void

/** Opens sockets, to checked addresses only, and knows those that are open. */
export class GuardedConnect {
  readonly #options: GuardedConnectOptions
  readonly #sockets = new Set<Socket>()

  constructor(options: GuardedConnectOptions) {
    this.#options = options
  }

  /**
   * A way to open sockets with these certificates. Each has its own memory of TLS sessions, because a resumed session
   * goes on as whom it began. Names are judged inside the one resolution whose result the socket uses, so a second
   * answer cannot differ; literals are judged here, as Node resolves none for them.
   */
  with(tls: TlsMaterial | undefined, allowH2: boolean) {
    const { guard, connectTimeoutMs } = this.#options
    const connect = buildConnector({
      lookup: guard.lookup,
      timeout: connectTimeoutMs,
      allowH2,
      preferH2: allowH2,
      ...(tls === undefined ? {} : { secureContext: tls.secureContext }),
    })
    const serverName = tls?.serverName
    return (target: ConnectTarget, done: OnConnected): void => {
      const refused = guard.refuseLiteral(target.hostname)
      if (refused !== undefined) {
        process.nextTick(done, refused, null)
        return
      }
      // undici would take the name from the request's `host` header; the certificate has to be the URL's.
      const named = {
        ...target,
        servername: serverName ?? (isIP(target.hostname) === 0 ? target.hostname : ''),
      }
      // The type says void, but undici's own connector answers with the socket, before it is connected.
      const socket: unknown = connect(named, (error, connected) => this.#settle(error, connected, done))
      if (!(socket instanceof Socket)) return
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    }
  }

  /** Closes every socket, those too that are still connecting. */
  async destroy(): Promise<void> {
    await Promise.all([...this.#sockets].map((socket) => once(socket.destroy(), 'close')))
  }

  #settle(error: Error | null, socket: Socket | null, done: OnConnected): void {
    const { tally } = this.#options
    // undici's type says null where it leaves the socket out.
    if (!(socket instanceof Socket)) {
      // What the guard refuses was never tried.
      if (!(error instanceof WeirError)) tally.errors++
      done(error, null)
      return
    }
    const record = tally.open()
    socket.once('close', () => tally.closed++)
    socket.once('error', (error) => {
      record.error = error
    })
    done(null, socket, record)
  }
}
