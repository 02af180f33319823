import { WeirError } from '../../../core/error.ts'
import type { Credentials } from '../authenticate.ts'

/** What every key of Weir's own begins with, so that people and scanners know one when they see it (D2-091). */
export const keyPrefix = 'mcp_'

const tokenCharsMax = 16 * 1024
const scheme = /^bearer +/i

/** The one credential of a request. Throws UNAUTHENTICATED where there is none, two, or one of another form. */
export function readCredential({ headers }: Credentials): string {
  const { authorization, 'x-api-key': apiKey } = headers
  if (authorization === undefined && apiKey === undefined) {
    throw refuse('No credential came with the request.', 'Send Authorization: Bearer with a key or token.')
  }
  if (authorization !== undefined && apiKey !== undefined) {
    throw refuse('Two credentials came with the request.', 'Send Authorization or X-API-Key, not both.')
  }
  const given = authorization ?? apiKey
  if (typeof given !== 'string' || given.length > tokenCharsMax) throw refuse('The credential is malformed.')
  if (authorization === undefined) return given
  const found = scheme.exec(given)
  if (found === null) {
    throw refuse('The Authorization header is not of the scheme Bearer.', 'Send Authorization: Bearer …')
  }
  return given.slice(found[0].length).trimEnd()
}

/** A request without a credential that holds. The credential itself is never in the error. */
export function refuse(
  message: string,
  hint = 'Get a new key or token, and send it as Authorization: Bearer.',
  cause?: unknown,
): WeirError {
  return new WeirError('UNAUTHENTICATED', message, { hint, ...(cause === undefined ? {} : { cause }) })
}
