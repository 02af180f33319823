import type { FastifyInstance, FastifyRequest } from 'fastify'
import { scopes } from './create-rights.ts'

/** Where clients learn who issues tokens for this Weir (RFC 9728). */
const wellKnown = '/.well-known/oauth-protected-resource'
/** The resources that have metadata of their own. */
const mcpPath = /^\/mcp(?:\/[a-z0-9-]{1,64})?$/

/** What clients are told. */
export interface ResourceMetadata {
  /** Issuers whose keys are public; none: no metadata, for there is nobody to ask for a token. */
  readonly issuers: readonly string[]
  /** Absent: the host that a request names, which the listener has checked. */
  readonly publicUrl: string | undefined
}

/** Serves the metadata, to everybody: it is for clients that have no token yet. */
export function serveResourceMetadata(
  server: FastifyInstance,
  { issuers, publicUrl }: ResourceMetadata,
): void {
  if (issuers.length === 0) return
  for (const path of ['', '/mcp', '/mcp/:name']) {
    server.get(`${wellKnown}${path}`, { config: { access: 'public' } }, (request) => ({
      resource: `${baseOf(request, publicUrl)}${resourceOf(request.url.slice(wellKnown.length))}`,
      resource_name: 'Weir',
      authorization_servers: issuers,
      scopes_supported: scopes,
      bearer_methods_supported: ['header'],
    }))
  }
}

/** What an unknown caller is told in `WWW-Authenticate`: where to learn who issues tokens, where somebody does. */
export function createChallenge({
  issuers,
  publicUrl,
}: ResourceMetadata): (request: FastifyRequest) => string {
  return (request) => {
    const { authorization, 'x-api-key': apiKey } = request.headers
    const error = authorization === undefined && apiKey === undefined ? [] : ['error="invalid_token"']
    const url = `${baseOf(request, publicUrl)}${wellKnown}${resourceOf(request.url)}`
    const where = issuers.length === 0 ? 'realm="weir"' : `resource_metadata="${url}"`
    return `Bearer ${[where, ...error].join(', ')}`
  }
}

/** The part of a path that names a resource; nothing that a client made up gets into a header. */
function resourceOf(url: string): string {
  const path = url.split('?')[0]!
  return mcpPath.test(path) ? path : ''
}

function baseOf({ protocol, headers }: FastifyRequest, publicUrl: string | undefined): string {
  return publicUrl ?? `${protocol}://${headers.host}`
}
