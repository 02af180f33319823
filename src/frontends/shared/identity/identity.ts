import type { JSONWebKeySet } from 'jose'
import { type Caller, everything } from '../../../core/caller.ts'
import type { Clock } from '../../../core/clock.ts'
import type { WeirError } from '../../../core/error.ts'
import type { Logger } from '../../../core/logger.ts'
import { isObject, parseJson } from '../../../core/parse-json.ts'
import type { ApiKeyStore } from '../../../core/stores.ts'
import type { Egress, EgressClient } from '../../../egress/egress.ts'
import type { Metrics } from '../../../telemetry/metrics.ts'
import type { Door } from '../require-caller.ts'
import { createAuthenticate } from './create-authenticate.ts'
import { type Claims, createRights, type Role } from './create-rights.ts'
import { createDenyToAll } from './deny-to-all.ts'
import { createJwksKeeper } from './jwks-keeper.ts'
import { createKeyRing } from './key-ring.ts'
import { createChallenge, type ResourceMetadata } from './protected-resource.ts'
import { type ClaimRules, createTokenCallers } from './token-callers.ts'
import { createVerifyToken, type Issuer, readStaticKey } from './verify-token.ts'

/** How callers prove who they are, as the configuration has it. */
export interface AuthRules {
  readonly apiKeys: boolean
  readonly jwt: readonly IssuerRules[]
  /** Of this machine's user, who starts Weir on a pipe; absent: everything. */
  readonly localRoles?: readonly string[] | undefined
}

/** One issuer, and how its tokens are read. */
export interface IssuerRules extends ClaimRules, Omit<Issuer, 'keys'> {
  readonly key:
    | { readonly secret: string }
    | { readonly publicKey: string }
    | { readonly jwksUrl: string; readonly allowPrivate?: boolean | readonly string[] }
}

/** What knowing callers is built from. */
export interface IdentityParts {
  /** Absent: nobody has to prove anything, and everybody is this machine's user. */
  readonly auth: AuthRules | undefined
  readonly roles: Readonly<Record<string, Role>>
  readonly user: string
  /** Patterns of ids that policies deny to everybody. */
  readonly denied: readonly string[]
  readonly publicUrl: string | undefined
  readonly keys: Pick<ApiKeyStore, 'list'>
  readonly egress: Egress
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
}

/** Who everybody is. */
export interface Identity {
  readonly door: Door
  /** This machine's user, who starts Weir on a pipe. */
  readonly local: Caller
  readonly metadata: ResourceMetadata
}

const jwksBytesMax = 256 * 1024
const jwksKeysMax = 100
const jwksTimeoutMs = 5_000

/** Builds every configured way to know a caller, and the one function that all frontends ask. */
export function createIdentity(parts: IdentityParts): Identity {
  const { auth, roles, user, publicUrl, keys, clock, log } = parts
  const nobodyAsked: ResourceMetadata = { issuers: [], publicUrl }
  const denyToAll = createDenyToAll(parts.denied)
  if (auth === undefined) {
    const local = createLocal(user, denyToAll(everything))
    return {
      door: { authenticate: () => local, challenge: createChallenge(nobodyAsked) },
      ...{ local, metadata: nobodyAsked },
    }
  }
  const ofRoles = createRights(roles)
  const rightsOf = (claims: Claims) => denyToAll(ofRoles(claims))
  const { jwt, apiKeys, localRoles } = auth
  const verify = createVerifyToken(createIssuers(jwt, parts), clock)
  // A secret is shared with whoever issues; there is no server of theirs that a client could ask.
  const issuers = jwt.filter(({ key }) => !('secret' in key)).map(({ issuer }) => issuer)
  const metadata: ResourceMetadata = { issuers, publicUrl }
  return {
    door: {
      authenticate: createAuthenticate({
        ...(apiKeys ? { ofKey: createKeyRing({ store: keys, rightsOf, clock, log }) } : {}),
        ...(jwt.length > 0 ? { ofToken: createTokenCallers({ rules: jwt, rightsOf, verify, clock }) } : {}),
      }),
      challenge: createChallenge(metadata),
      onRefused: createTally(parts),
    },
    local: createLocal(
      user,
      localRoles === undefined ? denyToAll(everything) : rightsOf({ roles: localRoles }),
    ),
    metadata,
  }
}

/** Counted, and not logged one by one: whoever has no credential must not be able to fill the disk. */
function createTally({ metrics, log }: IdentityParts): (error: WeirError) => void {
  return (error) => {
    const labels = { code: error.code }
    metrics.counter('weir_authentication_failures_total', 'Requests that were not let in.', labels).value += 1
    log.debug(
      { event: 'identity.refused', code: error.code, error: error.message },
      'A request was not let in.',
    )
  }
}

function createLocal(user: string, grants: NonNullable<Caller['grants']>): Caller {
  return Object.freeze({ subject: `local:${user}`, tenant: 'default', grants })
}

function createIssuers(rules: readonly IssuerRules[], { egress, clock, log }: IdentityParts): Issuer[] {
  return rules.map(({ key, name, issuer, audience, algorithms }) => {
    const own = { name, issuer, audience, algorithms }
    if (!('jwksUrl' in key)) return { ...own, keys: readStaticKey(key) }
    const { jwksUrl, allowPrivate = false } = key
    const client = egress.client({
      name: 'identity',
      allowPrivate,
      allowPrivateKey: 'auth.jwt[].allowPrivate',
    })
    const load = () => loadKeys(client, jwksUrl)
    return { ...own, keys: createJwksKeeper({ load, name, clock, log }) }
  })
}

async function loadKeys(client: EgressClient, url: string): Promise<JSONWebKeySet> {
  const { status, body } = await client.request(url, {
    headers: { accept: 'application/json' },
    totalTimeoutMs: jwksTimeoutMs,
    responseBytesMax: jwksBytesMax,
  })
  if (status !== 200) throw new Error(`${url} answered ${status}`)
  const document = parseJson(body.toString('utf8'))
  const keys = isObject(document) ? document['keys'] : undefined
  if (!Array.isArray(keys) || keys.length > jwksKeysMax || !keys.every(isObject)) {
    throw new Error(`${url} answered with no set of at most ${jwksKeysMax} keys`)
  }
  return document as unknown as JSONWebKeySet
}
