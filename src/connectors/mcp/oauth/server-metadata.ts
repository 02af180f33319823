import type { StopSignal } from '../../../core/cancellation.ts'
import { isSecureUrl } from './auth-config.ts'
import { authError, clip } from './auth-error.ts'
import type { OAuthAnswer, OAuthHttp } from './oauth-http.ts'
import { listTexts } from './resource-metadata.ts'

/** An authorization server as it describes itself (RFC 8414, OpenID Connect Discovery). */
export interface AuthorizationServer {
  readonly issuer: string
  readonly tokenEndpoint: string
  readonly authorizationEndpoint?: string
  readonly registrationEndpoint?: string
  readonly revocationEndpoint?: string
  /** Absent where it does not say. */
  readonly authMethods?: readonly string[]
  readonly signingAlgorithms: readonly string[]
  readonly scopes: readonly string[]
  /** Whether it binds a code to who asked for it (PKCE with S256). */
  readonly hasPkce: boolean
  /** Whether it names itself whenever it sends a person back (RFC 9207). */
  readonly namesItself: boolean
  /** Whether a URL can be a client's id. */
  readonly takesMetadataUrls: boolean
}

/** The description of an issuer; throws where it has none, or one that names somebody else. */
export async function findServer(
  http: OAuthHttp,
  issuer: string,
  signal: StopSignal,
): Promise<AuthorizationServer> {
  if (!isSecureUrl(issuer)) {
    throw authError(
      `The MCP server names the authorization server ${clip(issuer)}, which is not under https.`,
    )
  }
  for (const url of listPlaces(issuer)) {
    const { status, json } = await http.get(url, signal)
    if (status === 200 && json !== undefined) return readServer(json, issuer)
  }
  throw authError(`The authorization server ${issuer} does not describe itself.`, {
    hint: 'Check `auth.issuer`, or that the MCP server names the right one.',
  })
}

/** Where a description may be, best first; the path of an issuer goes behind the well-known one, or before it. */
function listPlaces(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  const inserted = ['oauth-authorization-server', 'openid-configuration'].map(
    (name) => `${origin}/.well-known/${name}${path}`,
  )
  return path === '' ? inserted : [...inserted, `${origin}${path}/.well-known/openid-configuration`]
}

/** One that answers under another's name wants the codes and secrets that are the other's (mix-up). */
function readServer(json: NonNullable<OAuthAnswer['json']>, issuer: string): AuthorizationServer {
  if (json['issuer'] !== issuer) {
    const told = typeof json['issuer'] === 'string' ? clip(json['issuer']) : 'nobody'
    throw authError(`The authorization server ${issuer} describes itself as ${told}.`, {
      hint: 'The two must be the same, letter by letter. Set `auth.issuer` to the right one, if you trust it.',
    })
  }
  const tokenEndpoint = readEndpoint(json, 'token_endpoint', issuer)
  if (tokenEndpoint === undefined)
    throw authError(`The authorization server ${issuer} has no token endpoint.`)
  const authMethods = json['token_endpoint_auth_methods_supported']
  return {
    issuer,
    tokenEndpoint,
    ...optional('authorizationEndpoint', readEndpoint(json, 'authorization_endpoint', issuer)),
    ...optional('registrationEndpoint', readEndpoint(json, 'registration_endpoint', issuer)),
    ...optional('revocationEndpoint', readEndpoint(json, 'revocation_endpoint', issuer)),
    ...optional('authMethods', Array.isArray(authMethods) ? listTexts(authMethods) : undefined),
    signingAlgorithms: listTexts(json['token_endpoint_auth_signing_alg_values_supported']),
    scopes: listTexts(json['scopes_supported']),
    hasPkce: listTexts(json['code_challenge_methods_supported']).includes('S256'),
    namesItself: json['authorization_response_iss_parameter_supported'] === true,
    takesMetadataUrls: json['client_id_metadata_document_supported'] === true,
  }
}

function readEndpoint(
  json: NonNullable<OAuthAnswer['json']>,
  name: string,
  issuer: string,
): string | undefined {
  const value = json[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' && isSecureUrl(value)) return value
  throw authError(`The authorization server ${issuer} has a \`${name}\` that is not under https.`)
}

function optional<K extends string, V>(key: K, value: V | undefined): { readonly [name in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [name in K]: V })
}
