import { hash } from 'node:crypto'
import type { Call } from '../../core/call.ts'
import { canonicalJson } from '../../core/canonical-json.ts'
import type { Entry } from '../../core/catalog.ts'
import { toJsonSchema } from '../../core/schema.ts'

/** What an answer is kept under. Safe to log: arguments and callers are in it as a hash only. */
export type CacheKey = string

/**
 * An answer belongs to its tenant and caller (S5), the tool, the tool’s definition as it was, and the arguments: two
 * calls that differ in any of these never meet. Where the policy says `public` the callers of one tenant share.
 */
export function createKeyOf({ id, target }: Entry, isPublic: boolean): (call: Call) => CacheKey {
  const { description, effect, input, output, definition } = target
  const fingerprint = canonicalJson({
    ...{ description, effect, definition: definition ?? null, input: toJsonSchema(input) },
    output: output === undefined ? null : toJsonSchema(output),
  })
  const of = hash('sha256', fingerprint, 'base64url')
  return ({ caller, input: args }) => {
    const whose = isPublic ? [caller.tenant] : [caller.tenant, caller.subject]
    return `${id}:${hash('sha256', canonicalJson([whose, of, args]), 'base64url')}`
  }
}

/** Characters of a SHA-256 in base64url, and the colon before them. */
const hashChars = 44

/** The target that a key is of. */
export function idOfKey(key: CacheKey): string {
  return key.slice(0, -hashChars)
}
