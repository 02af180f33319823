import type { Caller } from '../../../core/caller.ts'
import type { Authenticate } from '../authenticate.ts'
import { keyPrefix, readCredential, refuse } from './read-credential.ts'

/** The ways to find out who sends a credential; those that are not configured are absent. */
export interface Methods {
  readonly ofKey?: (key: string) => Caller | Promise<Caller>
  readonly ofToken?: (token: string) => Caller | Promise<Caller>
}

/** Keys and tokens are told apart by their form, so each credential has one way, and a failure there is the end. */
export function createAuthenticate({ ofKey, ofToken }: Methods): Authenticate {
  return (credentials) => {
    const credential = readCredential(credentials)
    const method = credential.startsWith(keyPrefix) ? ofKey : ofToken
    if (method === undefined) throw refuse('A credential of this kind is not taken here.')
    return method(credential)
  }
}
