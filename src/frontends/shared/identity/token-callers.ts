import { hash } from 'node:crypto'
import type { Caller, Grants } from '../../../core/caller.ts'
import type { Clock } from '../../../core/clock.ts'
import { isObject } from '../../../core/parse-json.ts'
import type { Claims } from './create-rights.ts'
import { refuse } from './read-credential.ts'
import type { VerifiedToken } from './verify-token.ts'

/** How the claims of one issuer's tokens are read. */
export interface ClaimRules {
  readonly name: string
  readonly subjectClaim: string
  readonly rolesClaim: string
  /** Those of every caller of the issuer. */
  readonly roles: readonly string[]
  readonly permissionsClaim?: string | undefined
  readonly tenantClaim?: string | undefined
  readonly tenant: string
}

/** What making callers of tokens needs. */
export interface TokenCallersParts {
  readonly rules: readonly ClaimRules[]
  readonly rightsOf: (claims: Claims) => Grants
  readonly verify: (token: string) => Promise<VerifiedToken>
  readonly clock: Clock
}

/** Tokens that were verified lately; beyond it the one that came first is verified again. */
const keptMax = 10_000
/** How long a token is taken for verified, for its key may be withdrawn meanwhile. */
const keptMs = 300_000
const idCharsMax = 256
const listMax = 1_000

interface Kept {
  readonly caller: Caller
  readonly expiresMs: number
  readonly verifiedMs: number
}

/** Gives the Caller of a token: at once where it was verified lately, which costs one hash. */
export function createTokenCallers(parts: TokenCallersParts): (token: string) => Caller | Promise<Caller> {
  const { rules, verify, rightsOf, clock } = parts
  const byName = new Map(rules.map((rule) => [rule.name, rule]))
  const kept = new Map<string, Kept>()

  const admit = async (token: string, key: string): Promise<Caller> => {
    const { issuer, claims } = await verify(token)
    const caller = readCaller(claims, byName.get(issuer)!, rightsOf)
    kept.delete(key)
    const oldest = kept.size < keptMax ? undefined : kept.keys().next().value
    if (oldest !== undefined) kept.delete(oldest)
    kept.set(key, { caller, expiresMs: claims.exp * 1_000, verifiedMs: clock.monotonicMs() })
    return caller
  }
  return (token) => {
    const key = hash('sha256', token, 'base64url')
    const known = kept.get(key)
    if (
      known !== undefined &&
      clock.now() < known.expiresMs &&
      clock.monotonicMs() - known.verifiedMs < keptMs
    ) {
      return known.caller
    }
    return admit(token, key)
  }
}

function readCaller(
  claims: VerifiedToken['claims'],
  rules: ClaimRules,
  rightsOf: (claims: Claims) => Grants,
): Caller {
  const { name, subjectClaim, rolesClaim, permissionsClaim, tenantClaim, tenant } = rules
  const permissions = permissionsClaim === undefined ? [] : readList(claims, permissionsClaim)
  return Object.freeze({
    subject: `jwt:${name}:${readId(claims, subjectClaim)}`,
    tenant: tenantClaim === undefined ? tenant : readId(claims, tenantClaim),
    grants: rightsOf({
      roles: [...rules.roles, ...readList(claims, rolesClaim)],
      permissions,
      scopes: [...readList(claims, 'scope'), ...readList(claims, 'scp')],
    }),
  })
}

/** Everything that is kept of a caller is kept under this: what is empty or unprintable would let two callers look like one. */
function readId(claims: object, claim: string): string {
  const value = findClaim(claims, claim)
  const id = Number.isSafeInteger(value) ? String(value) : value
  if (typeof id === 'string' && id !== '' && id.length <= idCharsMax && !/\p{C}/u.test(id)) return id
  throw refuse(`Invalid token: its claim "${claim}" names nobody.`)
}

/** A list of texts, or one text with spaces between, as OAuth writes scopes. */
function readList(claims: object, claim: string): readonly string[] {
  const value = findClaim(claims, claim)
  const list = typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : []
  if (list.length > listMax) throw refuse(`Invalid token: its claim "${claim}" lists too much.`)
  return list.filter((one): one is string => typeof one === 'string' && one !== '')
}

/** The claim of this very name, or what a dotted name leads to. */
function findClaim(claims: object, claim: string): unknown {
  if (Object.hasOwn(claims, claim)) return (claims as Record<string, unknown>)[claim]
  let value: unknown = claims
  for (const part of claim.split('.')) {
    if (!isObject(value) || !Object.hasOwn(value, part)) return undefined
    value = value[part]
  }
  return value
}
