/** Where a database server is and who logs in. Only the password is secret. */
export interface ServerAddress {
  /** A name, an address, or the absolute path of a Unix socket's folder or file. */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string | undefined
  readonly database: string
  readonly options: ReadonlyMap<string, string>
}

/** What one kind of server takes in a URL. */
export interface UrlRules {
  readonly defaultPort: number
  /** Options after `?`, each with the values it may have; `undefined`: any. */
  readonly options: ReadonlyMap<string, readonly string[] | undefined>
}

/** Throws a UrlProblem, whose text holds no part of the URL that may be secret. */
export function parseServerUrl(url: string, rules: UrlRules): ServerAddress {
  const parsed = URL.parse(url)
  if (parsed === null) throw new UrlProblem('this is no URL: scheme://user:password@host:port/database')
  const host = decode(parsed.hostname).replace(/^\[(.*)\]$/, '$1')
  const user = decode(parsed.username)
  const database = decode(parsed.pathname.slice(1))
  if (host === '') throw new UrlProblem('name a host, as in scheme://user@host/database')
  if (user === '') throw new UrlProblem('name a user, as in scheme://user@host/database')
  if (database === '') throw new UrlProblem('name a database, as in scheme://user@host/database')
  if (parsed.hash !== '') throw new UrlProblem('write a # in the URL as %23')
  return {
    host,
    port: parsed.port === '' ? rules.defaultPort : Number(parsed.port),
    user,
    password: parsed.password === '' ? undefined : decode(parsed.password),
    database,
    options: readOptions(parsed.searchParams, rules.options),
  }
}

/** What is wrong with a URL, as a sentence; undefined if nothing is. */
export function problemOfServerUrl(url: string, rules: UrlRules): string | undefined {
  try {
    parseServerUrl(url, rules)
    return undefined
  } catch (thrown) {
    if (thrown instanceof UrlProblem) return thrown.message
    throw thrown
  }
}

class UrlProblem extends Error {}

function readOptions(given: URLSearchParams, known: UrlRules['options']): ReadonlyMap<string, string> {
  const list = [...known.keys()].join(', ')
  for (const [name, value] of given) {
    if (!known.has(name)) throw new UrlProblem(`the URL has an option Weir does not take; it takes: ${list}`)
    const values = known.get(name)
    if (values !== undefined && !values.includes(value)) {
      throw new UrlProblem(`the URL’s option ${name} is one of: ${values.join(', ')}`)
    }
  }
  return new Map(given)
}

function decode(part: string): string {
  try {
    const decoded = decodeURIComponent(part)
    if (!decoded.includes('\0')) return decoded
  } catch {
    // Said below: the decoder's own error would quote the part.
  }
  throw new UrlProblem('the URL holds a % that no two hex digits follow, or a NUL; write % as %25')
}
