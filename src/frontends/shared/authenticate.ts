import type { Caller } from '../../core/caller.ts'

/** What a frontend knows of a request before it knows who sends it. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/**
 * Makes the Caller of a request. Throws or rejects where it cannot, with UNAUTHENTICATED or IDENTITY_UNAVAILABLE: a
 * failure never becomes an anonymous caller. Every frontend asks this one function (S1). Answers at once where it can.
 */
export type Authenticate = (credentials: Credentials) => Caller | Promise<Caller>
