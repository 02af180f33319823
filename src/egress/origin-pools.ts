import { WeirError } from '../core/error.ts'
import type { TargetStats } from './egress.ts'
import type { GuardedConnect } from './guarded-connect.ts'
import { NegotiatedPool, type NegotiatedPoolOptions } from './negotiated-pool.ts'
import type { OriginSlots } from './socket-limit.ts'
import { createSocketPool, type RequestPool } from './socket-pool.ts'
import type { SocketTally } from './socket-tally.ts'
import type { TlsMaterial } from './tls-material.ts'

/** The sockets to one origin, and what they did. */
export interface OriginPool extends OriginSlots {
  readonly origin: string
  /** Replaced when certificates are. */
  dispatcher: RequestPool
  readonly createdAt: number
  lastUsedAt: number
  requests: number
}

/** What the pools of one client share. */
export interface OriginPoolsOptions {
  readonly connect: GuardedConnect
  readonly tally: SocketTally
  readonly tls: TlsMaterial | undefined
  readonly http2: boolean
  readonly connectionsPerOrigin: number
  readonly idleTimeoutMs: number
  readonly connectTimeoutMs: number
  readonly now: () => number
}

const originsMax = 256

/** A client's pools by origin, at most 256 of them: the one that was idle longest makes room. */
export class OriginPools {
  readonly #options: OriginPoolsOptions
  readonly #pools = new Map<string, OriginPool>()
  /** Pools whose certificates were replaced, and that still have requests. */
  readonly #retired = new Set<RequestPool>()
  #tls: Pick<NegotiatedPoolOptions, 'connect' | 'negotiate'>

  constructor(options: OriginPoolsOptions) {
    this.#options = options
    this.#tls = this.#prepare(options.tls)
  }

  /** The origin's pool, made at first use. Throws OVERLOADED where all 256 are in use. */
  find(origin: string): OriginPool {
    const known = this.#pools.get(origin)
    if (known !== undefined) return known
    if (this.#pools.size >= originsMax) this.#evict()
    const at = this.#options.now()
    const dispatcher = this.#open(origin)
    const pool = { origin, inFlight: 0, dispatcher, createdAt: at, lastUsedAt: at, requests: 0 }
    this.#pools.set(origin, pool)
    return pool
  }

  /** New sockets use these certificates; those there are end with the requests they carry. */
  renew(tls: TlsMaterial): void {
    this.#tls = this.#prepare(tls)
    for (const pool of this.#pools.values()) {
      const old = pool.dispatcher
      pool.dispatcher = this.#open(pool.origin)
      this.#retired.add(old)
      void old.close().finally(() => this.#retired.delete(old))
    }
  }

  /** By origin. */
  stats(): Record<string, TargetStats> {
    const now = this.#options.now()
    return Object.fromEntries(
      [...this.#pools.values()].map(({ origin, createdAt, lastUsedAt, requests }) => [
        origin,
        {
          created_at: createdAt,
          last_used: lastUsedAt,
          age: now - createdAt,
          idle: now - lastUsedAt,
          request_count: requests,
        },
      ]),
    )
  }

  /** Destroys every socket; requests under way fail. */
  async destroy(): Promise<void> {
    const pools = [...[...this.#pools.values()].map(({ dispatcher }) => dispatcher), ...this.#retired]
    this.#pools.clear()
    await Promise.all(pools.map((pool) => pool.destroy()))
    // A pool forgets sockets that are still connecting.
    await this.#options.connect.destroy()
  }

  #prepare(tls: TlsMaterial | undefined) {
    const { connect } = this.#options
    return { connect: connect.with(tls, false), negotiate: connect.with(tls, true) }
  }

  #open(origin: string): RequestPool {
    const options = { ...this.#options, ...this.#tls }
    const mayNegotiate = options.http2 && origin.startsWith('https:')
    return mayNegotiate ? new NegotiatedPool(origin, options) : createSocketPool(origin, options)
  }

  #evict(): void {
    const idle = [...this.#pools.values()].filter(({ inFlight }) => inFlight === 0)
    const oldest = idle.sort((a, b) => a.lastUsedAt - b.lastUsedAt)[0]
    if (oldest !== undefined) {
      this.#pools.delete(oldest.origin)
      void oldest.dispatcher.destroy()
      return
    }
    throw new WeirError('OVERLOADED', `Requests to ${originsMax} hosts are under way at once.`, {
      hint: 'Wait until some have ended.',
      data: { sent: false },
    })
  }
}
