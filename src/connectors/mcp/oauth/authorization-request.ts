import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { authError, readErrorCode } from './auth-error.ts'
import type { AuthorizationServer } from './server-metadata.ts'

/** One trip to the authorization server's page: what is known of it before, and what must come back. */
export interface AuthorizationRequest {
  readonly url: string
  readonly state: string
  /** Shows, when the code is redeemed, that whoever does so began the trip (PKCE). */
  readonly verifier: string
  /** Whose page it is, as that server's checked description has it. */
  readonly server: AuthorizationServer
}

/** What the page is asked for. */
export interface AuthorizationWish {
  readonly clientId: string
  readonly redirectUri: string
  readonly resource: string
  readonly scopes: readonly string[]
}

/** Throws UPSTREAM_AUTH at a server without the page, or without what keeps a stolen code from being of use. */
export function createAuthorizationRequest(
  server: AuthorizationServer,
  wish: AuthorizationWish,
): AuthorizationRequest {
  const { issuer, authorizationEndpoint, hasPkce } = server
  if (authorizationEndpoint === undefined) {
    throw authError(`The authorization server ${issuer} has no page where people can agree.`)
  }
  if (!hasPkce) {
    throw authError(`The authorization server ${issuer} does not say that it supports PKCE with S256.`, {
      hint: 'Have it updated: without PKCE a code that somebody intercepts is as good as the token.',
    })
  }
  const state = randomBytes(32).toString('base64url')
  const verifier = randomBytes(32).toString('base64url')
  const url = new URL(authorizationEndpoint)
  const params = {
    response_type: 'code',
    client_id: wish.clientId,
    redirect_uri: wish.redirectUri,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    state,
    resource: wish.resource,
    ...(wish.scopes.length === 0 ? {} : { scope: wish.scopes.join(' ') }),
    // OpenID Connect gives a token that outlives the person's session only after asking for it.
    ...(wish.scopes.includes('offline_access') ? { prompt: 'consent' } : {}),
  }
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value)
  return { url: url.href, state, verifier, server }
}

/**
 * The code that somebody came back with. An answer that is not of the server asked (RFC 9207) or not to this request is
 * refused before anything else in it is looked at, its error included.
 */
export function readAuthorizationCode(
  { state, server }: AuthorizationRequest,
  answer: URLSearchParams,
): string {
  if (!isSame(answer.get('state') ?? '', state)) {
    throw authError('The answer belongs to another request: its `state` is not the one that was sent.', {
      hint: 'Begin again, and finish in the page that opens then.',
    })
  }
  const issuers = answer.getAll('iss')
  const isMissing = issuers.length === 0 && server.namesItself
  if (isMissing || issuers.some((issuer) => issuer !== server.issuer)) {
    const told = isMissing ? 'nobody' : 'somebody else'
    throw authError(`The answer comes from ${told}, and ${server.issuer} was asked (\`iss\`).`, {
      hint: 'Somebody may be in between. Do not try again before you know who.',
    })
  }
  const error = readErrorCode({ json: { error: answer.get('error') ?? undefined } })
  if (error !== undefined) {
    throw authError(`${server.issuer} says ${error}.`, {
      ...(error === 'access_denied' ? { hint: 'Agree on the page, or have somebody agree who may.' } : {}),
      data: { error },
    })
  }
  const [code, ...others] = answer.getAll('code')
  if (code === undefined || code === '' || others.length > 0) {
    throw authError(`${server.issuer} sent an answer without a code.`)
  }
  return code
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
