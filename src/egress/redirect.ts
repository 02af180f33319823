import { WeirError } from '../core/error.ts'
import type { EgressRequest } from './egress.ts'
import { parseTargetUrl } from './parse-target-url.ts'

/** What is sent at one hop: the request itself, or what a redirect made of it. */
export interface Hop {
  readonly url: URL
  /** The URL's path and query, as the request line has them. */
  readonly path: string
  readonly method: string
  /** Name, value, name, value. */
  readonly headers: readonly string[]
  readonly body: string | Buffer | undefined
}

const redirectsMax = 5
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** Whether an answer sends its reader elsewhere. */
export function isRedirect(status: number, location: string | string[] | undefined): location is string {
  return redirectStatuses.has(status) && typeof location === 'string'
}

/**
 * The request a redirect asks for. Throws TOO_MANY_REDIRECTS where the rules forbid it. To another origin
 * (`any` only) goes no header and no body of the request, so no credential can travel along (S12).
 */
export function followRedirect(
  hop: Hop,
  status: number,
  location: string,
  rules: Pick<EgressRequest, 'redirect' | 'allowRedirect'>,
  hops: number,
): Hop {
  const url = URL.parse(location, hop.url.href)
  const refuse = (what: string, hint?: string) =>
    new WeirError('TOO_MANY_REDIRECTS', `${hop.url.origin} answered ${status}, ${what}.`, {
      ...(hint === undefined ? {} : { hint }),
      data: { origin: hop.url.origin, status, ...(url === null ? {} : { to: url.origin }), sent: true },
    })
  if (url === null) throw refuse('a redirect to something that is no URL')
  const { redirect: policy, allowRedirect } = rules
  if (policy !== 'same-origin' && policy !== 'any') throw refuse('a redirect, and this request follows none')
  parseTargetUrl(url)
  if (hops >= redirectsMax) throw refuse(`the redirect after ${redirectsMax} others`)
  if (allowRedirect?.(url) === false) throw refuse('a redirect to a place this request may not go to')

  const next = applyStatus({ ...hop, url, path: url.pathname + url.search }, status)
  if (url.origin === hop.url.origin) return next
  if (policy === 'same-origin') {
    throw refuse(
      `a redirect to another origin, ${url.origin}`,
      'Configure that origin if it is the right one.',
    )
  }
  if (next.method !== 'GET' && next.method !== 'HEAD') {
    throw refuse(`a redirect that would send the ${next.method} to another origin, ${url.origin}`)
  }
  if (hop.url.protocol === 'https:' && url.protocol === 'http:') {
    throw refuse(`a redirect away from TLS, to ${url.origin}`)
  }
  return { ...next, headers: [], body: undefined }
}

// 303 always turns into GET, 301 and 302 for POST alone, as every browser has it; 307 and 308 change nothing.
function applyStatus(hop: Hop, status: number): Hop {
  const turns = status === 303 ? hop.method !== 'HEAD' : status < 303 && hop.method === 'POST'
  if (!turns) return hop
  return { ...hop, method: 'GET', headers: withoutContentHeaders(hop.headers), body: undefined }
}

function withoutContentHeaders(headers: readonly string[]): string[] {
  const kept: string[] = []
  for (let at = 0; at < headers.length; at += 2) {
    if (!/^content-/i.test(headers[at]!)) kept.push(headers[at]!, headers[at + 1]!)
  }
  return kept
}
