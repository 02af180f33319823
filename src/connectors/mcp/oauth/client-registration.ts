import type { StopSignal } from '../../../core/cancellation.ts'
import { authError, clip, refusedBy } from './auth-error.ts'
import type { AuthenticatedClient } from './client-authentication.ts'
import type { ClientIdentity } from './credential-shelf.ts'
import type { OAuthAnswer } from './oauth-http.ts'
import type { OAuthParts } from './oauth-parts.ts'
import type { AuthorizationServer } from './server-metadata.ts'

/** Where people come back to, and what they will be asked for. */
export interface Registration {
  readonly redirectUri: string
  readonly scopes: readonly string[]
}

/** Who Weir already is at a server; undefined where it would have to register. */
export async function findClient(
  { auth, signingKey, shelf, clock }: OAuthParts,
  server: AuthorizationServer,
): Promise<AuthenticatedClient | undefined> {
  const { clientId, clientSecret, clientMetadataUrl } = auth
  if (clientId !== undefined) {
    return {
      clientId,
      ...(clientSecret === undefined ? {} : { clientSecret }),
      ...(signingKey === undefined ? {} : { signingKey }),
    }
  }
  if (clientMetadataUrl !== undefined && server.takesMetadataUrls) return { clientId: clientMetadataUrl }
  const known = await shelf?.client(server.issuer)
  return known === undefined || (known.expiresAt ?? Number.POSITIVE_INFINITY) <= clock.now()
    ? undefined
    : known
}

/** The same, and registers where that is needed. A registration is for one place to come back to. */
export async function findOrRegisterClient(
  parts: OAuthParts,
  server: AuthorizationServer,
  wanted: Registration,
  signal: StopSignal,
): Promise<AuthenticatedClient> {
  const known = await findClient(parts, server)
  if (known !== undefined && (known.redirectUri ?? wanted.redirectUri) === wanted.redirectUri) return known
  const client = await register(parts, server, wanted, signal)
  await parts.shelf?.putClient(server.issuer, client)
  return client
}

async function register(
  { http }: OAuthParts,
  server: AuthorizationServer,
  wanted: Registration,
  signal: StopSignal,
): Promise<ClientIdentity> {
  if (server.registrationEndpoint === undefined) {
    throw authError(`The authorization server ${server.issuer} lets no client register itself.`, {
      hint: 'Register Weir there by hand, and set `auth.clientId` of the connection.',
    })
  }
  const answer = await http.post(server.registrationEndpoint, describeClient(server, wanted), signal)
  if (answer.status === 200 || answer.status === 201) return readClient(answer, server, wanted)
  const { message, data } = refusedBy('to register Weir', server.registrationEndpoint, answer)
  const words = answer.json?.['error_description']
  throw authError(typeof words === 'string' ? `${message} It says: ${clip(words)}` : message, {
    hint: 'Register Weir there by hand, and set `auth.clientId` of the connection.',
    ...(data === undefined ? {} : { data }),
  })
}

/** A program on somebody's machine, which can keep a secret no better than its user's files. */
function describeClient(
  { authMethods, scopes: offered }: AuthorizationServer,
  { redirectUri, scopes }: Registration,
): object {
  const methods = ['none', 'client_secret_basic', 'client_secret_post']
  return {
    client_name: 'Weir',
    application_type: 'native',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method:
      authMethods === undefined ? 'none' : (methods.find((method) => authMethods.includes(method)) ?? 'none'),
    // Some servers let a client ask for nothing but what it registered for, others refuse what their own list lacks.
    ...(scopes.length > 0 && scopes.every((scope) => offered.includes(scope))
      ? { scope: scopes.join(' ') }
      : {}),
  }
}

function readClient(
  { json = {} }: OAuthAnswer,
  { issuer }: AuthorizationServer,
  { redirectUri }: Registration,
): ClientIdentity {
  const { client_id: clientId, client_secret: secret, token_endpoint_auth_method: method } = json
  if (typeof clientId !== 'string' || clientId === '') {
    throw authError(`The authorization server ${issuer} registered Weir and gave it no client id.`)
  }
  const expires = json['client_secret_expires_at']
  return {
    clientId,
    redirectUri,
    ...(typeof secret === 'string' && method !== 'none' ? { clientSecret: secret } : {}),
    ...(typeof method === 'string' ? { authMethod: method } : {}),
    ...(typeof expires === 'number' && expires > 0 ? { expiresAt: expires * 1_000 } : {}),
  }
}
