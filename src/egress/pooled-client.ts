import type { Clock, Timer } from '../core/clock.ts'
import { WeirError } from '../core/error.ts'
import type { Logger } from '../core/logger.ts'
import { type AddressGuard, createAddressGuard } from './address-guard.ts'
import {
  type ClientOptions,
  type EgressClient,
  type EgressRequest,
  type EgressResponse,
  type EgressTarget,
  type Lookup,
  type PoolLimits,
  type PoolStats,
  poolPresets,
  type TlsOptions,
} from './egress.ts'
import { Exchange, type ExchangeHost } from './exchange.ts'
import { closed } from './explain-failure.ts'
import { GuardedConnect } from './guarded-connect.ts'
import { type OriginPool, OriginPools } from './origin-pools.ts'
import { parseTargetUrl } from './parse-target-url.ts'
import { SocketLimit } from './socket-limit.ts'
import { SocketTally } from './socket-tally.ts'
import { createTlsMaterial } from './tls-material.ts'

/** What the client gets from the egress it belongs to. */
export interface PooledClientContext {
  readonly clock: Clock
  readonly lookup: Lookup
  readonly log: Logger
  readonly onClose: () => void
}

/** One guard, one set of sockets by origin, one bound over all of them. */
export class PooledClient implements EgressClient, ExchangeHost {
  readonly connectTimeoutMs: number
  readonly tally = new SocketTally()
  readonly #context: PooledClientContext
  readonly #guard: AddressGuard
  readonly #pools: OriginPools
  readonly #limit: SocketLimit<Exchange>
  readonly #connect: GuardedConnect
  #closing: Promise<void> | undefined
  #onIdle: (() => void) | undefined

  constructor(options: ClientOptions, context: PooledClientContext) {
    const { connectTimeoutMs = 2_000, preset = 'standard', tls, waitingMax = 1_000 } = options
    const limits = { ...poolPresets[preset], ...given(options) }
    this.connectTimeoutMs = connectTimeoutMs
    this.#context = context
    this.#guard = createAddressGuard({
      allowPrivate: options.allowPrivate ?? false,
      allowPrivateKey: options.allowPrivateKey ?? 'allowPrivate',
      lookup: context.lookup,
      log: context.log,
    })
    const { tally } = this
    this.#connect = new GuardedConnect({ guard: this.#guard, tally, connectTimeoutMs })
    this.#pools = new OriginPools({
      ...limits,
      ...{ connect: this.#connect, tally, connectTimeoutMs, now: context.clock.now },
      tls: tls === undefined ? undefined : createTlsMaterial(tls),
    })
    this.#limit = new SocketLimit({ ...limits, waitingMax })
  }

  target(input: string | URL): EgressTarget {
    const url = parseTargetUrl(input)
    this.#refuseLiteral(url)
    return new PooledTarget(this, url)
  }

  request(url: string | URL, request: EgressRequest): Promise<EgressResponse> {
    try {
      return this.target(url).request(request)
    } catch (thrown) {
      return Promise.reject(thrown)
    }
  }

  renew({ tls }: { readonly tls: TlsOptions }): void {
    this.#pools.renew(createTlsMaterial(tls))
  }

  stats(): PoolStats {
    return this.tally.render(this.#pools.stats())
  }

  close(drainTimeoutMs = 0): Promise<void> {
    this.#closing ??= this.#close(drainTimeoutMs)
    return this.#closing
  }

  noteCheck(): void {
    this.tally.healthChecks++
  }

  get isClosed(): boolean {
    return this.#closing !== undefined
  }

  enter(exchange: Exchange): boolean {
    const { origin } = exchange.slots
    if (this.isClosed) throw closed(origin, false)
    if (this.#limit.tryEnter(exchange.slots)) return true
    if (this.#limit.wait(exchange)) return false
    throw new WeirError('OVERLOADED', `Too many requests wait for a connection; the next is to ${origin}.`, {
      hint: 'Wait until some have ended.',
      data: { origin, sent: false },
    })
  }

  giveUp(exchange: Exchange): boolean {
    return this.#limit.giveUp(exchange)
  }

  leave(pool: OriginPool): void {
    pool.requests++
    pool.lastUsedAt = this.#context.clock.now()
    this.#limit.leave(pool)
    if (this.#onIdle !== undefined && this.#limit.inFlight === 0) this.#onIdle()
  }

  place(url: URL): OriginPool {
    this.#refuseLiteral(url)
    return this.#pools.find(url.origin)
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    return this.#context.clock.setTimer(callback, delayMs)
  }

  #refuseLiteral(url: URL): void {
    const refused = this.#guard.refuseLiteral(url.hostname)
    if (refused !== undefined) throw refused
  }

  async #close(drainTimeoutMs: number): Promise<void> {
    for (const waiter of this.#limit.drain()) waiter.abort(closed(waiter.slots.origin, false))
    if (drainTimeoutMs > 0 && this.#limit.inFlight > 0) await this.#idleWithin(drainTimeoutMs)
    await this.#pools.destroy()
    this.#context.onClose()
  }

  #idleWithin(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.setTimer(resolve, timeoutMs)
      this.#onIdle = () => {
        timer.cancel()
        resolve()
      }
    })
  }
}

/** A checked URL and the pool behind it, so that a request costs neither a parse nor a lookup. */
class PooledTarget implements EgressTarget {
  readonly url: string
  readonly origin: string
  readonly #client: PooledClient
  readonly #url: URL
  readonly #path: string
  #pool: OriginPool | undefined

  constructor(client: PooledClient, url: URL) {
    this.#client = client
    this.#url = url
    this.#path = url.pathname + url.search
    this.url = url.href
    this.origin = url.origin
  }

  request(request: EgressRequest): Promise<EgressResponse> {
    const { method = 'GET', body } = request
    if (request.isCheck === true) this.#client.noteCheck()
    const hop = { url: this.#url, path: this.#path, method, headers: flatten(request.headers), body }
    return new Promise((resolve, reject) => {
      // Eviction destroys a pool under its targets; they come back for a new one.
      if (this.#pool === undefined || this.#pool.dispatcher.destroyed)
        this.#pool = this.#client.place(this.#url)
      new Exchange(this.#client, this.#pool, hop, request, resolve, reject).begin()
    })
  }
}

/** The limits that were given, so that those of the preset stand for the others. */
function given(options: ClientOptions): Partial<PoolLimits> {
  const { connectionsMax, connectionsPerOrigin, idleTimeoutMs, http2 } = options
  return {
    ...(connectionsMax === undefined ? {} : { connectionsMax }),
    ...(connectionsPerOrigin === undefined ? {} : { connectionsPerOrigin }),
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
    ...(http2 === undefined ? {} : { http2 }),
  }
}

/** A record gets `accept-encoding: identity` unless it says otherwise; the flat form is sent as it is. */
function flatten(headers: EgressRequest['headers']): readonly string[] {
  if (headers === undefined) return defaultHeaders
  if (isFlat(headers)) return headers
  const flat = Object.entries(headers).flat()
  const names = Object.keys(headers).map((name) => name.toLowerCase())
  return names.includes('accept-encoding') ? flat : [...flat, ...defaultHeaders]
}

const defaultHeaders = ['accept-encoding', 'identity']

function isFlat(headers: NonNullable<EgressRequest['headers']>): headers is readonly string[] {
  return Array.isArray(headers)
}
