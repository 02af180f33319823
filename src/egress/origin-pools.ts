import { once } from 'node:events'
import { Socket } from 'node:net'
import { buildConnector, Pool } from 'undici'
import { WeirError } from '../core/error.ts'
import type { AddressGuard } from './address-guard.ts'
import type { OriginSlots } from './socket-limit.ts'

/** The sockets to one origin. */
export interface OriginPool extends OriginSlots {
  readonly origin: string
  readonly dispatcher: Pool
}

/** What the pools of one client share. */
export interface OriginPoolsOptions {
  readonly guard: AddressGuard
  readonly connectTimeoutMs: number
  readonly connectionsPerOrigin: number
  readonly idleTimeoutMs: number
  readonly ca: string | readonly string[] | undefined
}

const originsMax = 256
const responseHeadBytesMax = 16_384

/** A client's pools by origin, at most 256 of them: the one that was idle longest makes room. */
export class OriginPools {
  readonly #options: OriginPoolsOptions
  readonly #connect: buildConnector.connector
  readonly #pools = new Map<string, OriginPool>()
  readonly #sockets = new Set<Socket>()

  constructor(options: OriginPoolsOptions) {
    this.#options = options
    this.#connect = createGuardedConnect(options, this.#sockets)
  }

  /** The origin's pool, made at first use. Throws OVERLOADED where all 256 are in use. */
  find(origin: string): OriginPool {
    const known = this.#pools.get(origin)
    if (known !== undefined) return known
    if (this.#pools.size >= originsMax) this.#evict()
    const pool = { origin, inFlight: 0, dispatcher: this.#open(origin) }
    this.#pools.set(origin, pool)
    return pool
  }

  /** Marks an origin as used just now, for eviction. Not needed for every request: idle pools alone are evicted. */
  touch(pool: OriginPool): void {
    this.#pools.delete(pool.origin)
    this.#pools.set(pool.origin, pool)
  }

  /** Destroys every socket; requests under way fail. */
  async destroy(): Promise<void> {
    const pools = [...this.#pools.values()]
    this.#pools.clear()
    await Promise.all(pools.map((pool) => pool.dispatcher.destroy()))
    // undici forgets sockets that are still connecting.
    await Promise.all([...this.#sockets].map((socket) => once(socket.destroy(), 'close')))
  }

  #open(origin: string): Pool {
    return new Pool(origin, {
      connect: this.#connect,
      connections: this.#options.connectionsPerOrigin,
      pipelining: 1,
      keepAliveTimeout: this.#options.idleTimeoutMs,
      maxHeaderSize: responseHeadBytesMax,
      allowH2: false,
      // Said outright, because undici otherwise reads it from the environment.
      useMilo: false,
    })
  }

  #evict(): void {
    for (const pool of this.#pools.values()) {
      if (pool.inFlight > 0) continue
      this.#pools.delete(pool.origin)
      void pool.dispatcher.destroy()
      return
    }
    throw new WeirError('OVERLOADED', `Requests to ${originsMax} hosts are under way at once.`, {
      hint: 'Wait until some have ended.',
      data: { sent: false },
    })
  }
}

/**
 * Opens sockets to checked addresses only. Names are judged inside the one resolution whose result the
 * socket uses, so a second answer cannot differ; literals are judged here, as Node resolves none for them.
 */
function createGuardedConnect(options: OriginPoolsOptions, sockets: Set<Socket>): buildConnector.connector {
  const { guard, connectTimeoutMs, ca } = options
  const connect = buildConnector({
    lookup: guard.lookup,
    timeout: connectTimeoutMs,
    allowH2: false,
    ...(ca === undefined ? {} : { ca: typeof ca === 'string' ? ca : [...ca] }),
  })
  return (target, callback) => {
    const refused = guard.refuseLiteral(target.hostname)
    if (refused !== undefined) return process.nextTick(callback, refused, null)
    // The type says void, but undici's own connector answers with the socket, before it is connected.
    const socket: unknown = connect(target, callback)
    if (!(socket instanceof Socket)) return
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  }
}
