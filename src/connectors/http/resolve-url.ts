import { WeirError } from '../../core/error.ts'

/**
 * The URL a caller means, if it lies inside the API: same origin, below its path (B-11). A full URL, or a path
 * that is appended to the base URL. Throws URL_NOT_ALLOWED for all else, before anything is sent.
 */
export function resolveUrl(apiName: string, base: URL, input: string): URL {
  const hint = `Give a path such as "items/1", or a full URL that begins with ${base.href}.`
  return check(apiName, base, input, () => parse(input, base), hint)
}

/**
 * The URL that an answer of the API points to, held to the same bounds as what a caller gives: what an API says must not
 * carry its credential elsewhere (S12). `from` is where the answer came from.
 */
export function resolveLink(apiName: string, base: URL, from: string, link: string): URL {
  const hint = `The API pointed there; its answers may only point below ${base.href}.`
  return check(apiName, base, link, () => URL.parse(link, from), hint)
}

function check(apiName: string, base: URL, input: string, read: () => URL | null, hint: string): URL {
  const refuse = (what: string) =>
    new WeirError('URL_NOT_ALLOWED', `The URL ${JSON.stringify(input.slice(0, 200))} ${what}.`, {
      hint,
      data: { api_name: apiName, baseUrl: base.href, sent: false },
    })
  // URL parsers drop or turn round these characters, each in its own way.
  if (/[\\\p{Cc}\s]/u.test(input)) throw refuse('holds a backslash, a space or a control character')

  const url = read()
  if (url === null) throw refuse('cannot be parsed')
  if (url.username !== '' || url.password !== '') throw refuse('holds a user name or password')
  if (!isBelow(base, url)) throw refuse(`lies outside the API ${apiName}`)
  if (climbs(url.pathname)) throw refuse('holds an encoded way out of its path')
  url.hash = ''
  return url
}

/** Whether a URL lies at or below the base, and cannot be read as if it did not. Redirects are held to it too. */
export function isInside(base: URL, url: URL): boolean {
  return isBelow(base, url) && !climbs(url.pathname)
}

/** Same origin, and a path that is the base's or begins with it. */
function isBelow(base: URL, url: URL): boolean {
  return (
    url.origin === base.origin &&
    (url.pathname === base.pathname || url.pathname.startsWith(withSlash(base.pathname)))
  )
}

function withSlash(path: string): string {
  return path.endsWith('/') ? path : `${path}/`
}

function parse(input: string, base: URL): URL | null {
  if (/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(input)) return URL.parse(input, base.origin)
  if (input === '') return new URL(base)
  const separated = /^[?#]/.test(input)
    ? base.pathname + input
    : withSlash(base.pathname) + input.replace(/^\/+/, '')
  return URL.parse(base.origin + separated)
}

/**
 * Whether some server might read `..` in the path after decoding it, however often: the URL parser resolves
 * `%2e%2e`, but `..%2f` and `%252e%252e` pass it, and `..;` is `..` to servers that know path parameters.
 */
function climbs(pathname: string): boolean {
  let path = pathname
  for (let round = 0; round < 5; round++) {
    if (/(^|[\\/])\.\.?(;[^\\/]*)?([\\/]|$)/.test(path) || /\p{Cc}/u.test(path)) return true
    const decoded = path.replace(/%([0-9a-f]{2})/gi, (_whole, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
    // Bytes above 127 stay as they are: they spell letters, not separators.
    if (decoded === path) return false
    path = decoded.replace(/[\x80-\xff]/g, '_')
  }
  return true
}
