import { createPublicKey, type KeyObject } from 'node:crypto'
import type { JWTHeaderParameters, JWTPayload, JWTVerifyOptions, LocalJWKSet } from 'jose'
import type { Clock } from '../../../core/clock.ts'
import { WeirError } from '../../../core/error.ts'
import { isObject, parseJson } from '../../../core/parse-json.ts'
import type { JwksKeeper } from './jwks-keeper.ts'
import { refuse } from './read-credential.ts'

/** One issuer whose tokens are taken. */
export interface Issuer {
  readonly name: string
  readonly issuer: string
  readonly audience: string | readonly string[]
  readonly algorithms: readonly string[]
  readonly keys: JwksKeeper | KeyObject | Uint8Array
}

/** What a token says, once its signature, issuer, audience and time were found to hold. */
export interface VerifiedToken {
  readonly issuer: string
  readonly claims: JWTPayload & { readonly exp: number }
}

/** S4, R18: how far the clocks of issuer and Weir may be apart. */
const skewS = 60
/** What a token that is meant for a server may say that it is. Others, such as a logout token, are not for this. */
const types = new Set(['jwt', 'at+jwt', 'application/at+jwt', 'application/jwt'])
/** Headers by which a token would choose its own key, or change what its signature means. */
const refusedHeaders = ['jku', 'jwk', 'x5u', 'x5c', 'crit', 'b64'] as const

/** The key itself, from what the configuration has. */
export function readStaticKey(key: { readonly secret: string } | { readonly publicKey: string }) {
  return 'secret' in key ? new TextEncoder().encode(key.secret) : createPublicKey(key.publicKey)
}

/**
 * Verifies tokens of these issuers. The key and the signatures that are taken come from the issuer that the token names,
 * never from the token's own header. Rejects with UNAUTHENTICATED, or IDENTITY_UNAVAILABLE where keys cannot be read.
 */
export function createVerifyToken(
  issuers: readonly Issuer[],
  clock: Clock,
): (token: string) => Promise<VerifiedToken> {
  const byIssuer = new Map(issuers.map((issuer) => [issuer.issuer, issuer]))
  return async (token) => {
    const { header, payload } = decode(token)
    const issuer = typeof payload['iss'] === 'string' ? byIssuer.get(payload['iss']) : undefined
    if (issuer === undefined) throw refuse('Invalid token: it is of no issuer that is known here.')
    checkHeader(header, issuer)
    const { keys } = issuer
    try {
      const claims =
        'current' in keys
          ? await verifyRotating(token, issuer, keys, clock)
          : await verify(token, issuer, keys, clock)
      return { issuer: issuer.name, claims: claims as VerifiedToken['claims'] }
    } catch (thrown) {
      throw describe(thrown)
    }
  }
}

/** A key that is not there may be a new one: the issuer is asked once more, and not again for a while. */
async function verifyRotating(
  token: string,
  issuer: Issuer,
  keys: JwksKeeper,
  clock: Clock,
): Promise<JWTPayload> {
  try {
    return await verify(token, issuer, await keys.current(), clock)
  } catch (thrown) {
    if ((thrown as { code?: unknown }).code !== 'ERR_JWKS_NO_MATCHING_KEY') throw thrown
    const renewed = await keys.renewed()
    if (renewed === undefined) throw thrown
    return verify(token, issuer, renewed, clock)
  }
}

async function verify(
  token: string,
  { issuer, audience, algorithms }: Issuer,
  key: LocalJWKSet | KeyObject | Uint8Array,
  clock: Clock,
): Promise<JWTPayload> {
  const { jwtVerify } = await import('jose')
  const options: JWTVerifyOptions = {
    algorithms: [...algorithms],
    issuer,
    audience: typeof audience === 'string' ? audience : [...audience],
    clockTolerance: skewS,
    currentDate: new Date(clock.now()),
    requiredClaims: ['exp', 'iss', 'aud'],
  }
  const verified =
    typeof key === 'function' ? await jwtVerify(token, key, options) : await jwtVerify(token, key, options)
  return verified.payload
}

/** What the token says before anything of it is believed. */
function decode(token: string): { header: JWTHeaderParameters; payload: Readonly<Record<string, unknown>> } {
  const parts = token.split('.')
  if (parts.length !== 3) throw refuse('Invalid token: it is neither a key of Weir’s nor a signed token.')
  const [header, payload] = parts.slice(0, 2).map(decodePart)
  return { header: header as unknown as JWTHeaderParameters, payload: payload! }
}

function decodePart(part: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = parseJson(Buffer.from(part, 'base64url').toString('utf8'))
  } catch (cause) {
    throw refuse('Invalid token: it cannot be read.', undefined, cause)
  }
  if (!isObject(value)) throw refuse('Invalid token: it cannot be read.')
  return value
}

function checkHeader(header: JWTHeaderParameters, { algorithms }: Issuer): void {
  const { alg, typ } = header
  if (!algorithms.includes(alg)) throw refuse('Invalid token: its signature is of a kind that is not taken.')
  const chooser = refusedHeaders.find((name) => Object.hasOwn(header, name))
  if (chooser !== undefined) throw refuse(`Invalid token: its header has "${chooser}".`)
  if (typ !== undefined && !(typeof typ === 'string' && types.has(typ.toLowerCase()))) {
    throw refuse('Invalid token: it is not for calling a server.')
  }
}

/** D4-020's own words first, then what is wrong. */
function describe(thrown: unknown): unknown {
  if (thrown instanceof WeirError) return thrown
  const { code, claim } = thrown as { code?: unknown; claim?: unknown }
  if (code === 'ERR_JWT_EXPIRED') return refuse('Token expired', undefined, thrown)
  if (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED' && typeof claim === 'string') {
    return refuse(
      `Invalid token: its claim "${claim.slice(0, 50)}" is missing or not as it has to be.`,
      undefined,
      thrown,
    )
  }
  if (code === 'ERR_JWKS_NO_MATCHING_KEY') {
    return refuse('Invalid token: its issuer has no such key.', undefined, thrown)
  }
  return refuse('Invalid token: its signature does not hold.', undefined, thrown)
}
