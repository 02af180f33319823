import type { IncomingHttpHeaders, ServerResponse } from 'node:http'

/** What a page's script may read beside the body: what a client needs for its next request. */
const readable = 'mcp-session-id, mcp-protocol-version, www-authenticate, retry-after'
const methods = 'GET, POST, DELETE'
/** How long a browser may remember the answer to its question, in seconds. */
const rememberedS = 600

/** Tells the browser that the page which calls may read the answer. Only for origins that the operator listed. */
export function shareWithOrigin(response: ServerResponse, origin: string): void {
  response.setHeader('access-control-allow-origin', origin)
  response.setHeader('access-control-expose-headers', readable)
  response.setHeader('vary', 'origin')
}

/** Whether this is the question a browser asks before it lets a page call another origin. */
export function isPreflight(method: string, headers: IncomingHttpHeaders): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined
}

/** Answers that question. The page may send any header it asks for: it is trusted, and what it sends is checked. */
export function answerPreflight(response: ServerResponse, headers: IncomingHttpHeaders): void {
  response.setHeader('access-control-allow-methods', methods)
  const asked = headers['access-control-request-headers']
  if (asked !== undefined) response.setHeader('access-control-allow-headers', asked)
  response.setHeader('access-control-max-age', rememberedS)
  response.writeHead(204).end()
}
