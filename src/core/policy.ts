import type { Run } from './call.ts'
import type { Entry } from './catalog.ts'
import type { RateLimit } from './tool.ts'

/** What applies to one target: plain data, resolved once when the target enters the pipeline. What is absent is off. */
export interface Policy {
  /** Longest time the whole call may take, in milliseconds (C-07: 30,000). */
  readonly timeoutMs: number
  /** Refused whatever the caller may do. Any rule that says so holds. */
  readonly isDenied?: boolean
  /** Who has to agree before it runs: whoever operates Weir, or the caller’s own user, which a client could forge. */
  readonly confirm?: 'operator' | 'client'
  /** All of them hold. */
  readonly rateLimits?: readonly RateRule[]
  readonly cache?: CacheRule
  /** Whose cached answers a call of this one makes wrong: ids and patterns (D2-040). */
  readonly invalidates?: readonly string[]
  readonly retry?: RetryRule
  readonly breaker?: BreakerRule
  readonly bulkhead?: BulkheadRule
  readonly fallback?: FallbackRule
}

/** A token bucket (C-14). It fills evenly, and holds `burst`, or as many as `limit` allows in its unit of time. */
export interface RateRule {
  readonly limit: RateLimit
  readonly burst?: number
  /** Who shares it: each caller has one for each tool, or all calls of the tool, the connection or the whole Weir do. */
  readonly per: 'caller' | 'tool' | 'connection' | 'all'
  /** Whether a call waits for its token, until its time is up, instead of being refused (D3-111). */
  readonly waits?: boolean
}

/** How long answers of a `read` are kept (D2-030 to D2-038). */
export interface CacheRule {
  readonly ttlMs: number
  /** How long “not found” is remembered; absent: not at all. */
  readonly negativeTtlMs?: number
  /** Whether callers of one tenant share answers. Absent: each has their own (S5). */
  readonly isPublic?: boolean
}

/** C-06: three attempts, 1 s, doubled, at most 60 s, with jitter. */
export interface RetryRule {
  /** The first one included. */
  readonly attemptsMax: number
  readonly delayMs: number
  readonly delayMsMax: number
}

/** C-05: five failures in a row open it for 60 s; two successes close it. */
export interface BreakerRule {
  readonly failures: number
  readonly recoveryMs: number
  readonly successes: number
}

/** How many calls of one connection run at once, and how many wait for their turn. */
export interface BulkheadRule {
  readonly runningMax: number
  readonly waitingMax: number
}

/** What is answered where the tool cannot (D0-104, C-26); always marked as degraded. The first that is there is used. */
export interface FallbackRule {
  /** An answer of the cache that is older than its time, at most by this. */
  readonly staleMs?: number
  /** The same answer for everybody. */
  readonly value?: unknown
}

/**
 * One concern around a call. `wrap` runs once per target, when its chain is composed, and returns
 * `next` itself where the policy is off: what is off costs nothing.
 */
export interface Stage {
  readonly name: string
  wrap(entry: Entry, policy: Policy, next: Run): Run
}
