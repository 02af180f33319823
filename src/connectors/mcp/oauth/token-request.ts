import type { StopSignal } from '../../../core/cancellation.ts'
import { authError, readErrorCode, refusedBy } from './auth-error.ts'
import { splitScopes } from './challenge.ts'
import { type AuthenticatedClient, authenticateClient } from './client-authentication.ts'
import type { Tokens } from './credential-shelf.ts'
import type { OAuthAnswer } from './oauth-http.ts'
import type { OAuthParts } from './oauth-parts.ts'
import type { AuthorizationServer } from './server-metadata.ts'

/** One request for tokens. */
export interface TokenRequest {
  readonly server: AuthorizationServer
  readonly client: AuthenticatedClient
  /** The parameters of the grant itself. */
  readonly grant: Readonly<Record<string, string>>
  readonly resource: string
  /** What was asked for; sent only where the grant has not been agreed on yet. */
  readonly scopes: readonly string[]
}

const lifetimeSecondsMax = 10 * 365 * 24 * 3_600
const tokenForm = /^[\x21-\x7e]{1,16000}$/

/** Asks for tokens. Rejects with UPSTREAM_AUTH whose data has the server's error code. */
export async function requestTokens(
  { http, clock, serverUrl }: OAuthParts,
  { server, client, grant, resource, scopes }: TokenRequest,
  signal: StopSignal,
): Promise<Tokens> {
  const form = new URLSearchParams({ ...grant, resource })
  if (grant['grant_type'] === 'client_credentials' && scopes.length > 0) form.set('scope', scopes.join(' '))
  const headers = authenticateClient(client, server, form, clock.now())
  const answer = await http.post(server.tokenEndpoint, form, signal, headers)
  const obtainedAt = clock.now()
  // Some servers refuse with status 200.
  if (answer.status !== 200 || readErrorCode(answer) !== undefined) {
    throw refusedBy('to give a token', server.tokenEndpoint, answer)
  }
  return readTokens(
    answer,
    { server: serverUrl, resource, requested: [...scopes], obtainedAt },
    server.issuer,
  )
}

function readTokens(
  { json = {} }: OAuthAnswer,
  known: Pick<Tokens, 'server' | 'resource' | 'requested' | 'obtainedAt'>,
  issuer: string,
): Tokens {
  const { access_token: accessToken, token_type: type, refresh_token: refreshToken, scope } = json
  if (typeof accessToken !== 'string' || !tokenForm.test(accessToken)) {
    throw authError(`The authorization server ${issuer} answered with no token that a header can hold.`)
  }
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') {
    throw authError(`The authorization server ${issuer} answered with a token that is no bearer token.`)
  }
  const seconds = Number(json['expires_in'] ?? Number.NaN)
  return {
    ...known,
    accessToken,
    scopes: typeof scope === 'string' ? [...splitScopes(scope)] : [...known.requested],
    ...(typeof refreshToken === 'string' && tokenForm.test(refreshToken) ? { refreshToken } : {}),
    ...(seconds > 0 ? { expiresAt: known.obtainedAt + Math.min(seconds, lifetimeSecondsMax) * 1_000 } : {}),
  }
}

/** Tells the issuer that a token is of no more use (RFC 7009); an issuer that cannot be told is no error. */
export async function revokeToken(
  { http, clock, log }: OAuthParts,
  { server, client }: Pick<TokenRequest, 'server' | 'client'>,
  tokens: Tokens,
  signal: StopSignal,
): Promise<void> {
  if (server.revocationEndpoint === undefined) return
  // With the refresh token goes all that came of it; only without one the access token stands alone.
  const [token, hint] =
    tokens.refreshToken === undefined
      ? [tokens.accessToken, 'access_token']
      : [tokens.refreshToken, 'refresh_token']
  const form = new URLSearchParams({ token, token_type_hint: hint })
  const headers = authenticateClient(client, server, form, clock.now())
  const { status } = await http.post(server.revocationEndpoint, form, signal, headers)
  if (status !== 200) log.warn({ status, issuer: server.issuer }, 'The issuer refused to revoke a token.')
}
