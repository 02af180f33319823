import { type Caller, everything } from '../../core/caller.ts'
import type { Door } from '../../core/limit.ts'

/** What a frontend knows of a request before it knows who sends it. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/**
 * Makes the Caller of a request. Throws where it cannot: a failure never becomes an anonymous caller. Every frontend
 * asks this one function (S1).
 */
export type Authenticate = (credentials: Credentials) => Caller

/** Without authentication configured Weir serves loopback only, and everyone there is this machine's user. */
export function createLocalAuthenticate(user: string): Authenticate {
  const caller: Caller = Object.freeze({ subject: `local:${user}`, tenant: 'default', grants: everything })
  return () => caller
}

/** The same, with everybody let in no more often than the door allows. A request asks once, whatever it holds. */
export function admitThrough(door: Door, authenticate: Authenticate): Authenticate {
  return (credentials) => {
    const caller = authenticate(credentials)
    door.admit(caller)
    return caller
  }
}
