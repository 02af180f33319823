import type { lookup as dnsLookup } from 'node:dns'
import type { StopSignal } from '../core/cancellation.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'

/**
 * The one way out of Weir over HTTP (S10): every client made here checks every address it connects to,
 * bounds what it reads and how long it waits, and reads no proxy from the environment.
 */
export interface Egress {
  /** A client with its own guard and its own sockets; those of one guard never serve another. */
  client(options?: ClientOptions): EgressClient
  /** What the sockets of all clients have done, by the clients' names; of those too that are closed by now. */
  stats(): ReadonlyMap<string, PoolStats>
  /** Closes every client. Safe to call twice. */
  close(): Promise<void>
}

/** What the way out is built from. */
export interface EgressOptions {
  readonly log: Logger
  readonly clock?: Clock
  /** Resolves names; `dns.lookup` unless a test injects its own. Always asked for all addresses. */
  readonly lookup?: Lookup
}

/** What `dns.lookup` looks like to us. */
export type Lookup = typeof dnsLookup

/** What one client may reach, and how many sockets it may hold. Defaults in parentheses. */
export interface ClientOptions {
  /** Whose sockets these are, in metrics: the connection's name, or the part's (`other`). At most 1,000 are told apart. */
  readonly name?: string
  /** Takes the limits of a named pool; those given beside it win. */
  readonly preset?: PoolPreset
  /**
   * Which addresses that are not on the public internet may be reached (none). `true`: loopback, private
   * networks, carrier-grade NAT and IPv6 unique-local. A list of host names, addresses or CIDR blocks: those,
   * of every class. Link-local and cloud metadata addresses are reached only by a list that names them.
   */
  readonly allowPrivate?: boolean | readonly string[]
  /** The config key an error tells people to set, `allowPrivate` by default. */
  readonly allowPrivateKey?: string
  /** Name resolution, TCP and TLS together, in milliseconds (2,000). */
  readonly connectTimeoutMs?: number
  /** Requests under way at once to one origin; over HTTP/1.1 each one holds a socket (30, C-08). */
  readonly connectionsPerOrigin?: number
  /** Requests under way at once in all (100, C-08). */
  readonly connectionsMax?: number
  /** Requests that wait for a socket; beyond it OVERLOADED (1,000). */
  readonly waitingMax?: number
  /** How long an idle socket is kept for the next request, in milliseconds (4,000). */
  readonly idleTimeoutMs?: number
  /** Offers HTTP/2 where TLS is spoken, and takes HTTP/1.1 where the server does not (false, B-36). */
  readonly http2?: boolean
  /** Whom the client trusts, and as whom it presents itself. `renew` replaces it. */
  readonly tls?: TlsOptions
}

/** One side of a TLS connection, all of it PEM text. What is not PEM, or does not fit, is CONFIG_INVALID at once. */
export interface TlsOptions {
  /** Certificate authorities, instead of the system's own. */
  readonly ca?: string | readonly string[]
  /** The client's certificate with its chain, for servers that ask for one (D1-062); needs `key`. */
  readonly cert?: string
  /** The private key of `cert`. */
  readonly key?: string
  /** Opens an encrypted `key`. */
  readonly passphrase?: string
  /** The name that the server's certificate must have, and that it is asked for: the URL's host by default. */
  readonly serverName?: string
}

/** The limits of one named pool. */
export type PoolLimits = Required<
  Pick<ClientOptions, 'connectionsMax' | 'connectionsPerOrigin' | 'idleTimeoutMs' | 'http2'>
>

/**
 * The pools that were known by their numbers before (C-08). Connections that were kept alive at most are the ones to
 * one origin here, because a socket is kept for the origin it leads to.
 */
export const poolPresets = {
  /** 100 in all, 30 to one host: what a client without a preset has (D0-031). */
  standard: { connectionsMax: 100, connectionsPerOrigin: 30, idleTimeoutMs: 4_000, http2: false },
  /** 20 in all, for one server (D1-015). */
  small: { connectionsMax: 20, connectionsPerOrigin: 20, idleTimeoutMs: 4_000, http2: true },
  /** 100 in all, 50 kept for 300 s: shared by many APIs (D1-031). */
  shared: { connectionsMax: 100, connectionsPerOrigin: 50, idleTimeoutMs: 300_000, http2: true },
  /** 50 in all, 25 kept for 300 s: calls to the outside (D1-060). */
  external: { connectionsMax: 50, connectionsPerOrigin: 25, idleTimeoutMs: 300_000, http2: true },
} as const satisfies Readonly<Record<string, PoolLimits>>

/** The name of a pool preset. */
export type PoolPreset = keyof typeof poolPresets

/** Sends requests. Errors carry `data.sent`: whether any byte of the request may have left (R3). */
export interface EgressClient {
  /** Parses and checks a URL once, for many requests. Throws URL_NOT_ALLOWED or ADDRESS_NOT_ALLOWED (address literals). */
  target(url: string | URL): EgressTarget
  /** `target(url).request(request)`, for addresses that come with the request. */
  request(url: string | URL, request: EgressRequest): Promise<EgressResponse>
  /**
   * Takes new certificates without losing a request (D1-062): new sockets use them at once, requests under way end on
   * the sockets they have, idle sockets close. Throws CONFIG_INVALID, and keeps the old ones then.
   */
  renew(options: { readonly tls: TlsOptions }): void
  /** What the client's sockets have done until now. */
  stats(): PoolStats
  /** Lets requests under way end within `drainTimeoutMs` (0), then destroys every socket. Safe to call twice. */
  close(drainTimeoutMs?: number): Promise<void>
}

/** What the sockets of one client have done (D1-087). Sockets are counted, not requests (B-49). */
export interface PoolStats {
  /** Sockets that were opened, TLS included. */
  readonly connections_created: number
  /** Sockets that have carried a second request. */
  readonly connections_reused: number
  readonly connections_closed: number
  /** Requests that were marked `isCheck`, and PINGs that asked whether an HTTP/2 connection still lives. */
  readonly health_checks_performed: number
  /** Requests that were put on a socket; each hop of a redirect is one. */
  readonly total_requests: number
  /** Sockets that could not be opened, and those that broke with a request on them. */
  readonly connection_errors: number
  /** Sockets that are open now. */
  readonly active_connections: number
  /** Sockets that have carried a second request, of those that carried one; 0 to 100 per cent. */
  readonly connection_reuse_rate: number
  readonly average_requests_per_connection: number
  /** By origin, for those that have sockets or had them lately; at most 256. */
  readonly targets: Readonly<Record<string, TargetStats>>
}

/** What the sockets to one origin have done. Times are milliseconds since 1970, spans milliseconds. */
export interface TargetStats {
  readonly created_at: number
  readonly last_used: number
  readonly age: number
  readonly idle: number
  readonly request_count: number
}

/** One URL, ready to be asked many times. */
export interface EgressTarget {
  readonly url: string
  readonly origin: string
  request(request: EgressRequest): Promise<EgressResponse>
}

/**
 * One request. Every wait and size has a bound; defaults in parentheses. The waits for headers and body, and
 * for the connection, may run over by up to a second; `totalTimeoutMs` and `signal` are exact.
 */
export interface EgressRequest {
  /** Upper case (`GET`). */
  readonly method?: string
  /**
   * Name, value, name, value: the fast form, sent as it is. Or a record, which gets `accept-encoding: identity`.
   * `host`, `content-length` and `connection` are set by Weir.
   */
  readonly headers?: readonly string[] | Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** Stops the request and closes its socket; it rejects with the signal's reason if that is a WeirError, else CANCELLED. */
  readonly signal?: StopSignal | undefined
  /** Until the answer's headers are there, and for a socket to become free, in milliseconds (30,000). */
  readonly headersTimeoutMs?: number
  /** Between two pieces of the body, in milliseconds; 0: for ever, for event streams (30,000). */
  readonly bodyTimeoutMs?: number
  /** From the call to the end of the body, redirects included, in milliseconds (none). */
  readonly totalTimeoutMs?: number
  /** Largest body, before and after decoding; beyond it RESPONSE_TOO_LARGE (16 MiB, R22). */
  readonly responseBytesMax?: number
  /**
   * What to do with a 3xx that has a Location (`error`). `error`: TOO_MANY_REDIRECTS; `manual`: an answer like
   * any other; `same-origin`: follow up to 5, refuse another origin; `any`: follow to other origins too, but
   * only GET and HEAD, and without any header of the request.
   */
  readonly redirect?: 'error' | 'manual' | 'same-origin' | 'any'
  /** Asks only whether the other side is there; counted as a health check too (D1-087). */
  readonly isCheck?: boolean
  /** Asked before each hop that `redirect` would follow; false: TOO_MANY_REDIRECTS. */
  readonly allowRedirect?: (to: URL) => boolean
  /**
   * Called once with the head of the final answer. Returning a function streams the body to it and leaves
   * `response.body` empty; returning nothing buffers it. The request's promise settles at the end either way.
   * What it throws rejects the request and closes the socket.
   */
  readonly onHead?: (head: ResponseHead, stream: ResponseStream) => ChunkListener | undefined
}

/** Takes one piece of a streamed body, in order. What it throws rejects the request and closes the socket. */
export type ChunkListener = (chunk: Buffer) => void

/** Holds a streamed body back, or ends it. */
export interface ResponseStream {
  pause(): void
  resume(): void
  /** Closes the socket; the request rejects with `reason`. */
  abort(reason: Error): void
}

/** Status and headers of an answer, before its body. */
export interface ResponseHead {
  readonly status: number
  /** Lower-case names; a list where a header came several times. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** A whole answer. */
export interface EgressResponse extends ResponseHead {
  /** Decoded, unless it was streamed: then empty. */
  readonly body: Buffer
  /** Where the answer came from, after redirects. */
  readonly url: string
}
