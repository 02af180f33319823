import { type Caller, everything } from '../../core/caller.ts'

/** What a frontend knows of a request before it knows who sends it. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/**
 * Makes the Caller of a request. Throws or rejects where it cannot, with UNAUTHENTICATED or IDENTITY_UNAVAILABLE: a
 * failure never becomes an anonymous caller. Every frontend asks this one function (S1). Answers at once where it can.
 */
export type Authenticate = (credentials: Credentials) => Caller | Promise<Caller>

/** This machine's user, who needs no credential: everybody on loopback where none are configured, and whoever starts Weir on a pipe. */
export function createLocalCaller(user: string): Caller {
  return Object.freeze({ subject: `local:${user}`, tenant: 'default', grants: everything })
}
