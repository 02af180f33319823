import type { StopSignal } from '../../../core/cancellation.ts'
import { isSecureUrl } from './auth-config.ts'
import { authError, clip } from './auth-error.ts'
import type { Challenge } from './challenge.ts'
import { splitScopes } from './challenge.ts'
import type { OAuthAnswer, OAuthHttp } from './oauth-http.ts'

/** A protected server as it describes itself (RFC 9728). */
export interface ProtectedResource {
  /** What tokens for it are asked for by (RFC 8707), as the server writes it. */
  readonly resource: string
  /** Its authorization servers, best first; empty where it names none. */
  readonly issuers: readonly string[]
  readonly scopes: readonly string[]
  /** False where it has no such description: servers of the oldest revision stand beside their authorization server. */
  readonly isDescribed: boolean
}

const issuersMax = 20
const wellKnown = '/.well-known/oauth-protected-resource'

/** The URL by which a server is known: without a query, which may hold a secret. */
export function canonicalUrl(serverUrl: string): string {
  const { origin, pathname } = new URL(serverUrl)
  return pathname === '/' ? origin : `${origin}${pathname}`
}

/** Finds the server's description where its challenge says, or else in the two places where it must be. */
export async function findResource(
  http: OAuthHttp,
  serverUrl: string,
  challenge: Challenge | undefined,
  signal: StopSignal,
): Promise<ProtectedResource> {
  const named = challenge?.resourceMetadata
  if (named !== undefined) return readResource(await fetchNamed(http, serverUrl, named, signal), serverUrl)
  const { origin, pathname } = new URL(serverUrl)
  const path = pathname.replace(/\/$/, '')
  for (const url of new Set([`${origin}${wellKnown}${path}`, `${origin}${wellKnown}`])) {
    if (!isSecureUrl(url)) break
    const { status, json } = await http.get(url, signal)
    if (status === 200 && json !== undefined) return readResource(json, serverUrl)
  }
  return { resource: canonicalUrl(serverUrl), issuers: [], scopes: [], isDescribed: false }
}

async function fetchNamed(http: OAuthHttp, serverUrl: string, url: string, signal: StopSignal) {
  const { origin } = new URL(serverUrl)
  if (!isSecureUrl(url)) {
    throw authError(
      `${origin} says that it describes itself at ${quoteOrigin(url)}, which is not under https.`,
    )
  }
  const { status, json } = await http.get(url, signal)
  if (status === 200 && json !== undefined) return json
  throw authError(
    `${origin} describes itself at ${quoteOrigin(url)}, where status ${status} is the answer.`,
    {
      hint: 'Report this to whoever runs the MCP server: its WWW-Authenticate header names a wrong place.',
    },
  )
}

/** A description that names another server may come from somebody who wants that server's tokens. */
function readResource(json: NonNullable<OAuthAnswer['json']>, serverUrl: string): ProtectedResource {
  const { resource, authorization_servers: issuers, scopes_supported: scopes } = json
  if (typeof resource !== 'string' || !covers(resource, serverUrl)) {
    const told = typeof resource === 'string' ? clip(resource) : JSON.stringify(typeof resource)
    throw authError(`The MCP server describes itself as ${told}, and it is ${canonicalUrl(serverUrl)}.`, {
      hint: 'Set `url` to what the server calls itself, if you trust it; otherwise report this to whoever runs it.',
    })
  }
  return {
    resource,
    issuers: listTexts(issuers).slice(0, issuersMax),
    scopes: splitScopes(listTexts(scopes).join(' ')),
    isDescribed: true,
  }
}

/** Whether a server's own name is its URL, or a folder above it on the same origin. */
function covers(resource: string, serverUrl: string): boolean {
  const named = URL.parse(resource)
  const actual = new URL(serverUrl)
  if (named === null || named.hash !== '' || named.search !== '' || named.origin !== actual.origin)
    return false
  const folder = named.pathname.endsWith('/') ? named.pathname : `${named.pathname}/`
  return `${actual.pathname}/`.startsWith(folder)
}

/** The texts in a list that came from outside. */
export function listTexts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
}

function quoteOrigin(url: string): string {
  return clip(URL.parse(url)?.origin ?? url)
}
