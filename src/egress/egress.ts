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
  /** Requests under way at once to one origin; each one holds a socket (30, C-08). */
  readonly connectionsPerOrigin?: number
  /** Requests under way at once in all (100, C-08). */
  readonly connectionsMax?: number
  /** Requests that wait for a socket; beyond it OVERLOADED (1,000). */
  readonly waitingMax?: number
  /** How long an idle socket is kept for the next request, in milliseconds (4,000). */
  readonly idleTimeoutMs?: number
  /** Certificate authorities in PEM, instead of the system's own. */
  readonly ca?: string | readonly string[]
}

/** Sends requests. Errors carry `data.sent`: whether any byte of the request may have left (R3). */
export interface EgressClient {
  /** Parses and checks a URL once, for many requests. Throws URL_NOT_ALLOWED or ADDRESS_NOT_ALLOWED (address literals). */
  target(url: string | URL): EgressTarget
  /** `target(url).request(request)`, for addresses that come with the request. */
  request(url: string | URL, request: EgressRequest): Promise<EgressResponse>
  /** Lets requests under way end within `drainTimeoutMs` (0), then destroys every socket. Safe to call twice. */
  close(drainTimeoutMs?: number): Promise<void>
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
