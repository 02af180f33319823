import type { MeetingPoint, Person } from '../../../core/authorisation.ts'
import type { StopSignal } from '../../../core/cancellation.ts'
import { type AuthConfig, isSecureUrl } from './auth-config.ts'
import { authError } from './auth-error.ts'
import { createAuthorizationRequest, readAuthorizationCode } from './authorization-request.ts'
import type { Challenge } from './challenge.ts'
import { findClient, findOrRegisterClient } from './client-registration.ts'
import type { Tokens } from './credential-shelf.ts'
import type { OAuthParts } from './oauth-parts.ts'
import { canonicalUrl, findResource, type ProtectedResource } from './resource-metadata.ts'
import { type AuthorizationServer, findServer } from './server-metadata.ts'
import { requestTokens } from './token-request.ts'

/** Tokens, and whose they are: they are kept under this name and shown to nobody of another. */
export interface Obtained {
  readonly issuer: string
  readonly tokens: Tokens
}

/** Why tokens are obtained. */
export interface Occasion {
  /** What the MCP server said when it refused. */
  readonly challenge: Challenge | undefined
  /** Scopes beside those: what the tokens had that were not enough. */
  readonly scopes: readonly string[]
}

/** Has a person agree, and gets the tokens for it. */
export async function obtainFromPerson(
  parts: OAuthParts,
  person: Person,
  occasion: Occasion,
  signal: AbortSignal,
): Promise<Obtained> {
  const { resource, server } = await findBoth(parts, occasion.challenge, signal)
  const scopes = withOfflineAccess(chooseScopes(parts.auth, resource, occasion), server)
  const visit = await person.meet(await findMeetingPoint(parts, server))
  try {
    const { redirectUri } = visit
    const registration = { redirectUri, scopes: [...new Set([...resource.scopes, ...scopes])] }
    const client = await findOrRegisterClient(parts, server, registration, signal)
    const wish = { clientId: client.clientId, redirectUri, resource: resource.resource, scopes }
    const request = createAuthorizationRequest(server, wish)
    const code = readAuthorizationCode(request, await visit.go(request.url, signal))
    const grant = {
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      code_verifier: request.verifier,
    }
    const ask = { server, client, grant, resource: resource.resource, scopes }
    return { issuer: server.issuer, tokens: await requestTokens(parts, ask, signal) }
  } finally {
    await visit.close()
  }
}

/** Gets tokens in Weir's own name. */
export async function obtainAsClient(
  parts: OAuthParts,
  occasion: Occasion,
  signal: StopSignal,
): Promise<Obtained> {
  const { resource, server } = await findBoth(parts, occasion.challenge, signal)
  const client = await findClient(parts, server)
  if (client === undefined) throw authError('`auth.clientId` is not set.')
  const scopes = chooseScopes(parts.auth, resource, occasion)
  const ask = {
    ...{ server, client, scopes, resource: resource.resource },
    grant: { grant_type: 'client_credentials' },
  }
  return { issuer: server.issuer, tokens: await requestTokens(parts, ask, signal) }
}

async function findBoth(parts: OAuthParts, challenge: Challenge | undefined, signal: StopSignal) {
  const { http, serverUrl, auth } = parts
  if (!isSecureUrl(serverUrl)) {
    throw authError(
      `The MCP server ${serverUrl} is not under https: a token for it could be read on its way.`,
      {
        hint: 'Have it served under https. On this machine alone http will do.',
      },
    )
  }
  const resource = await findResource(http, serverUrl, challenge, signal)
  const server = await findServer(http, chooseIssuer(auth, resource, serverUrl), signal)
  return { resource, server }
}

/** The one that is configured, if the MCP server agrees; else the one that it names first. */
function chooseIssuer(
  { issuer }: AuthConfig,
  { issuers, isDescribed }: ProtectedResource,
  serverUrl: string,
): string {
  if (issuer !== undefined && issuers.length > 0 && !issuers.includes(issuer)) {
    throw authError(
      `The MCP server names the authorization server ${issuers[0]}, and ${issuer} is configured.`,
      {
        hint: 'Find out which is right. Credentials of the one are never shown to the other.',
      },
    )
  }
  const chosen = issuer ?? issuers[0]
  if (chosen !== undefined) return chosen
  if (isDescribed) {
    throw authError(`The MCP server ${canonicalUrl(serverUrl)} names no authorization server.`, {
      hint: 'Set `auth.issuer` of the connection.',
    })
  }
  return new URL(serverUrl).origin
}

/** What is configured wins; then what the server asks for now, then what it says of itself. */
function chooseScopes({ scopes }: AuthConfig, resource: ProtectedResource, occasion: Occasion) {
  const { challenge } = occasion
  const asked = challenge !== undefined && challenge.scopes.length > 0 ? challenge.scopes : resource.scopes
  const isStepUp = challenge?.error === 'insufficient_scope'
  const first = scopes === undefined ? asked : isStepUp ? [...scopes, ...asked] : scopes
  return [...new Set([...occasion.scopes, ...first])]
}

function withOfflineAccess(scopes: readonly string[], server: AuthorizationServer): readonly string[] {
  const isOffered = server.scopes.includes('offline_access') && !scopes.includes('offline_access')
  // Alone it would ask for a token that may nothing but last.
  return isOffered && scopes.length > 0 ? [...scopes, 'offline_access'] : scopes
}

/** A registration is for one place to come back to, so that the last one is good if it is free. */
async function findMeetingPoint(
  { auth, shelf }: OAuthParts,
  { issuer }: AuthorizationServer,
): Promise<MeetingPoint | undefined> {
  if (auth.redirectPort !== undefined) return { port: auth.redirectPort, isFixed: true }
  const { redirectUri = '' } = (await shelf?.client(issuer)) ?? {}
  const port = Number(URL.parse(redirectUri)?.port ?? 0)
  return port === 0 ? undefined : { port, isFixed: false }
}
