import type { Caller } from './caller.ts'

/** How a caller stands with the tightest of the limits that its call was under. */
export interface Standing {
  /** Tokens that the bucket holds when it is full. */
  readonly limit: number
  /** Whole tokens that are in it now. */
  readonly remaining: number
  /** Until it is full again if nobody takes one, in milliseconds. */
  readonly resetMs: number
}

/**
 * The coarse limit on everything that comes in, before it is read any further (D2-092). Both throw RATE_LIMITED. It
 * protects this process, and so counts in this process alone.
 */
export interface Door {
  /** Every request, before it is known who sends it. */
  enter(): void
  /** Every request, once its caller is known. */
  admit(caller: Caller): void
}
