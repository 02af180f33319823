import type { StopSignal } from '../../../core/cancellation.ts'
import { WeirError } from '../../../core/error.ts'
import { isObject, parseJson } from '../../../core/parse-json.ts'
import type { EgressClient, EgressResponse } from '../../../egress/egress.ts'
import { boundTime } from '../bound-time.ts'
import type { OAuthConfig } from './auth-config.ts'

/** A token as it was issued. */
export interface IssuedToken {
  readonly accessToken: string
  /** How long it lives, in milliseconds; infinite where the server did not say. */
  readonly lifetimeMs: number
}

const answerBytesMax = 256 * 1024
const jsonLimits = { depthMax: 16, elementsMax: 10_000 }
const lifetimeMsMax = 365 * 24 * 3_600_000
const tokenForm = /^[\x21-\x7e]{1,16000}$/

/**
 * Asks the token endpoint for a token (RFC 6749, 4.4). It follows no redirect, so the secret stays at that origin.
 * What it throws has `sent: false`: nothing of the call that waits for the token has left (R3).
 */
export async function requestToken(
  apiName: string,
  oauth: OAuthConfig,
  client: EgressClient,
  signal: StopSignal,
): Promise<IssuedToken> {
  const { body, headers } = renderTokenRequest(oauth)
  try {
    const answer = await client.request(oauth.tokenUrl, {
      method: 'POST',
      headers,
      body,
      signal,
      redirect: 'error',
      ...boundTime(oauth.timeoutMs),
      responseBytesMax: answerBytesMax,
    })
    return readToken(answer, apiName, new URL(oauth.tokenUrl).origin)
  } catch (thrown) {
    throw signal.aborted ? signal.reason : explain(thrown, apiName)
  }
}

function renderTokenRequest(oauth: OAuthConfig) {
  const { clientId, clientSecret, clientAuth, scope, audience, resource } = oauth
  const form = new URLSearchParams({ grant_type: 'client_credentials' })
  for (const [name, value] of Object.entries({ scope, audience, resource })) {
    if (value !== undefined) form.set(name, value)
  }
  const headers: Record<string, string> = {
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
    'user-agent': 'weir',
  }
  if (clientAuth === 'post') {
    form.set('client_id', clientId)
    form.set('client_secret', clientSecret)
  } else {
    const pair = `${encodeForm(clientId)}:${encodeForm(clientSecret)}`
    headers['authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`
  }
  return { body: form.toString(), headers }
}

/** RFC 6749, 2.3.1: both halves are encoded as in a form before they are joined by a colon. */
function encodeForm(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}

function readToken({ status, body }: EgressResponse, apiName: string, origin: string): IssuedToken {
  const json = readObject(body)
  const error = json['error']
  if (status !== 200 || error !== undefined) throw refused(status, error, apiName, origin)
  const { access_token: accessToken, token_type: type, expires_in: seconds } = json
  if (typeof accessToken !== 'string' || !tokenForm.test(accessToken)) {
    throw unusable(`${origin} answered with no token that a header can hold.`, apiName)
  }
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') {
    throw unusable(`${origin} answered with a token that is no bearer token.`, apiName)
  }
  const lifetimeMs = Number(seconds ?? Number.NaN) * 1_000
  return {
    accessToken,
    lifetimeMs: lifetimeMs > 0 ? Math.min(lifetimeMs, lifetimeMsMax) : Number.POSITIVE_INFINITY,
  }
}

function readObject(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value = parseJson(body.toString(), jsonLimits)
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}

/** The server's own words stay out, its error code aside: they may quote the secret. */
function refused(status: number, error: unknown, apiName: string, origin: string): WeirError {
  const code = typeof error === 'string' && /^[a-z_]{1,60}$/.test(error) ? error : undefined
  const message = `${origin} gave no token for the API ${apiName}: status ${status}${code === undefined ? '' : `, ${code}`}.`
  const data = { api_name: apiName, status, ...(code === undefined ? {} : { error: code }), sent: false }
  if (status >= 500 || status === 429) return new WeirError('CONNECTION_UNAVAILABLE', message, { data })
  return new WeirError('UPSTREAM_AUTH', message, {
    hint: `Check \`apis.${apiName}.auth.oauth\`: the client, its secret, the scope and the audience.`,
    data,
  })
}

function unusable(message: string, apiName: string): WeirError {
  return new WeirError('UPSTREAM_AUTH', message, {
    hint: `Check \`apis.${apiName}.auth.oauth.tokenUrl\`.`,
    data: { api_name: apiName, sent: false },
  })
}

function explain(thrown: unknown, apiName: string): unknown {
  if (!(thrown instanceof WeirError) || thrown.data?.['api_name'] === apiName) return thrown
  return new WeirError(thrown.code, `On the way to a token for the API ${apiName}: ${thrown.message}`, {
    ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
    data: { ...thrown.data, api_name: apiName, sent: false },
    cause: thrown,
  })
}
