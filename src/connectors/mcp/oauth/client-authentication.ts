import { createPrivateKey, type KeyObject, randomUUID, sign } from 'node:crypto'
import { WeirError } from '../../../core/error.ts'
import { authError } from './auth-error.ts'
import type { ClientIdentity } from './credential-shelf.ts'
import type { AuthorizationServer } from './server-metadata.ts'

/** A key of Weir's own, which signs instead of a secret (RFC 7523). */
export interface SigningKey {
  readonly key: KeyObject
  readonly id?: string
}

/** Who Weir says it is at one authorization server, and how it shows that. */
export interface AuthenticatedClient extends ClientIdentity {
  readonly signingKey?: SigningKey
}

const assertionSeconds = 60
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** Algorithms by type of key, best first, each with what `node:crypto` calls its digest. */
const algorithms: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
  rsa: { RS256: 'sha256', RS384: 'sha384', RS512: 'sha512' },
  prime256v1: { ES256: 'sha256' },
  secp384r1: { ES384: 'sha384' },
  secp521r1: { ES512: 'sha512' },
  ed25519: { EdDSA: undefined, Ed25519: undefined },
}

/** Throws CONFIG_INVALID, and never quotes the key. */
export function readSigningKey(pem: string, id: string | undefined): SigningKey {
  try {
    return { key: createPrivateKey(pem), ...(id === undefined ? {} : { id }) }
  } catch {
    throw new WeirError(
      'CONFIG_INVALID',
      '`auth.privateKey` is not a private key in PEM without a passphrase.',
      {
        hint: 'Name the file that holds it: `privateKey: "${file:./client-key.pem}"`.',
      },
    )
  }
}

/** Adds to a token request what shows who sends it; gives the headers for it. */
export function authenticateClient(
  client: AuthenticatedClient,
  server: AuthorizationServer,
  form: URLSearchParams,
  nowMs: number,
): Readonly<Record<string, string>> {
  const { clientId, clientSecret, signingKey } = client
  if (signingKey !== undefined) {
    form.set('client_assertion_type', assertionType)
    form.set('client_assertion', signAssertion(clientId, signingKey, server, nowMs))
    form.set('client_id', clientId)
    return {}
  }
  if (clientSecret !== undefined && chooseMethod(client, server) === 'client_secret_basic') {
    const pair = `${encodeForm(clientId)}:${encodeForm(clientSecret)}`
    return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
  }
  form.set('client_id', clientId)
  if (clientSecret !== undefined) form.set('client_secret', clientSecret)
  return {}
}

/** What the registration says counts first, then what the server takes; where it does not say, that is Basic. */
function chooseMethod({ authMethod }: ClientIdentity, { authMethods }: AuthorizationServer): string {
  if (authMethod !== undefined) return authMethod
  const takesPostOnly =
    authMethods !== undefined &&
    !authMethods.includes('client_secret_basic') &&
    authMethods.includes('client_secret_post')
  return takesPostOnly ? 'client_secret_post' : 'client_secret_basic'
}

/** RFC 6749, 2.3.1: both halves are encoded as in a form before they are joined by a colon. */
function encodeForm(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}

function signAssertion(
  clientId: string,
  { key, id }: SigningKey,
  server: AuthorizationServer,
  nowMs: number,
): string {
  const [alg, digest] = chooseAlgorithm(key, server)
  const iat = Math.floor(nowMs / 1_000)
  const claims = {
    iss: clientId,
    sub: clientId,
    aud: server.issuer,
    jti: randomUUID(),
    iat,
    exp: iat + assertionSeconds,
  }
  const header = { alg, typ: 'JWT', ...(id === undefined ? {} : { kid: id }) }
  const text = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const signature = sign(digest, Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' })
  return `${text}.${signature.toString('base64url')}`
}

function chooseAlgorithm(key: KeyObject, { signingAlgorithms, issuer }: AuthorizationServer) {
  const type = key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? ''
  const ours = Object.entries(algorithms[type] ?? {})
  const common = ours.find(([name]) => signingAlgorithms.length === 0 || signingAlgorithms.includes(name))
  if (common !== undefined) return common
  throw authError(
    `${issuer} takes no signature of a key of type ${type}; it takes ${signingAlgorithms.join(', ')}.`,
    {
      hint: 'Set `auth.privateKey` to a key that fits.',
    },
  )
}
