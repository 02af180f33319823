import { createSign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { WeirError } from '../../core/error.ts'
import { isObject } from '../../core/parse-json.ts'
import type { Egress, EgressClient, EgressRequest } from '../../egress/egress.ts'
import type { EndingCredentials } from '../shared/cloud/credential-cache.ts'
import type { GcsConfig } from './gcs-config.ts'

/** What a request shows; absent: nothing. */
export interface Token extends EndingCredentials {
  readonly value?: string
}

/** What tokens are obtained with. */
export interface TokenParts {
  readonly egress: Egress
  /** The connection's own, for the token endpoint. */
  readonly client: EgressClient
  readonly baseDir: string
  readonly clock: Clock
}

interface ServiceAccountKey {
  readonly clientEmail: string
  readonly privateKey: string
  readonly privateKeyId?: string | undefined
  readonly tokenUrl: string
}

const limits = { totalTimeoutMs: 5_000, responseBytesMax: 64 * 1024 } satisfies EgressRequest
const scopes = 'https://www.googleapis.com/auth/devstorage.'
const metadataServer = 'http://169.254.169.254'
const metadataPath = '/computeMetadata/v1/instance/service-accounts/default/token'
const lifeSeconds = 3_600

/** Obtains tokens as the config says. It rejects with a WeirError that holds no secret and no path. */
export function createTokenSource(config: GcsConfig, parts: TokenParts): () => Promise<Token> {
  const { credentials, operations } = config
  // A token may do no more than the connection offers.
  const mayWrite = operations.includes('put') || operations.includes('delete')
  const scope = `${scopes}${mayWrite ? 'read_write' : 'read_only'}`
  if ('anonymous' in credentials) return async () => ({})
  if ('instance' in credentials) {
    const { instance } = credentials
    return () => readInstanceToken(parts, instance === true ? metadataServer : instance.endpoint)
  }
  if ('keyFile' in credentials) {
    const file = resolve(parts.baseDir, credentials.keyFile)
    // Read each time, since files are rotated under us.
    return async () => await exchangeKey(parts, await readKeyFile(file), scope)
  }
  return () => exchangeKey(parts, credentials, scope)
}

/** The JWT bearer grant (RFC 7523) of a service account. */
async function exchangeKey(parts: TokenParts, key: ServiceAccountKey, scope: string): Promise<Token> {
  const { client, clock } = parts
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: signAssertion(key, scope, Math.floor(clock.now() / 1000)),
  })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return await ask(parts, client, key.tokenUrl, { method: 'POST', headers, body: form.toString() })
}

function signAssertion(key: ServiceAccountKey, scope: string, now: number): string {
  const { clientEmail: iss, privateKeyId: kid, tokenUrl: aud } = key
  const head = { alg: 'RS256', typ: 'JWT', ...(kid === undefined ? {} : { kid }) }
  const claims = { iss, scope, aud, iat: now, exp: now + lifeSeconds }
  const [first, second] = [head, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  )
  const signed = `${first}.${second}`
  try {
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(key.privateKey, 'base64url')}`
  } catch (cause) {
    throw refuse('the private key is none that can sign', { cause })
  }
}

/** Through a guard that knows this one host and nothing else. */
async function readInstanceToken(parts: TokenParts, endpoint: string): Promise<Token> {
  const { hostname } = new URL(endpoint)
  const client = parts.egress.client({
    allowPrivate: [hostname.replace(/^\[|\]$/g, '')],
    allowPrivateKey: 'credentials',
  })
  try {
    const url = `${endpoint.replace(/\/+$/, '')}${metadataPath}`
    return await ask(parts, client, url, { headers: { 'metadata-flavor': 'Google' } })
  } finally {
    await client.close()
  }
}

async function ask(
  { clock }: TokenParts,
  client: EgressClient,
  url: string,
  request: EgressRequest,
): Promise<Token> {
  const { status, body } = await client.request(url, { ...request, ...limits }).catch(refuseFor)
  const { access_token: value, expires_in: seconds, error } = parseObject(body.toString())
  if (status === 200 && typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)) {
    const lifeMs = (typeof seconds === 'number' ? seconds : 0) * 1000
    return { value, expiration: new Date(clock.now() + lifeMs) }
  }
  const isBusy = status >= 500 || status === 429
  const code = typeof error === 'string' && /^\w{1,60}$/.test(error) ? error : undefined
  throw refuse(`their source answered ${code ?? `HTTP ${status}`}`, { isBusy, status, code })
}

function refuseFor(thrown: unknown): never {
  if (!(thrown instanceof WeirError)) throw thrown
  throw new WeirError(
    thrown.code,
    `The credentials of the connection could not be obtained: ${thrown.message}`,
    {
      ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
      // Of the call itself nothing was sent.
      data: { ...thrown.data, sent: false },
      cause: thrown,
    },
  )
}

interface Reason {
  readonly isBusy?: boolean
  readonly status?: number
  readonly code?: string | undefined
  readonly cause?: unknown
}

function refuse(why: string, { isBusy = false, status, code, cause }: Reason = {}): WeirError {
  const message = `The credentials of the connection could not be obtained: ${why}.`
  return new WeirError(isBusy ? 'CLOUD_BUSY' : 'UPSTREAM_AUTH', message, {
    hint: 'Check `credentials` of the connection; the log holds the cause.',
    data: {
      ...(status === undefined ? {} : { status }),
      ...(code === undefined ? {} : { error_code: code }),
      sent: false,
    },
    cause,
  })
}

async function readKeyFile(file: string): Promise<ServiceAccountKey> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw refuse('the key file cannot be read', { cause })
  })
  const {
    client_email: clientEmail,
    private_key: privateKey,
    private_key_id: id,
    token_uri: tokenUrl,
  } = parseObject(text)
  if (typeof clientEmail !== 'string' || typeof privateKey !== 'string' || typeof tokenUrl !== 'string') {
    throw refuse('the key file is no service account’s')
  }
  return { clientEmail, privateKey, tokenUrl, privateKeyId: typeof id === 'string' ? id : undefined }
}

// The text never goes into an error: it may well be the credentials.
function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text)
    return isObject(parsed) ? parsed : {}
  } catch {
    return {}
  }
}
