/** What a refusal by a protected server says about the token it wants (RFC 6750, RFC 9728). */
export interface Challenge {
  readonly error?: string
  /** The scopes that would do; empty where it does not say. */
  readonly scopes: readonly string[]
  /** Where the server describes itself. */
  readonly resourceMetadata?: string
}

const headerCharsMax = 8_192
const scopesMax = 100
const scopeWord = /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/

/** Reads the Bearer challenge out of `www-authenticate`, wherever in the list it stands; undefined without one. */
export function parseChallenge(header: string | string[] | undefined): Challenge | undefined {
  const text = (Array.isArray(header) ? header.join(', ') : (header ?? '')).slice(0, headerCharsMax)
  const params = readChallenges(text).get('bearer')
  if (params === undefined) return undefined
  const error = params.get('error')
  const resourceMetadata = params.get('resource_metadata')
  return {
    scopes: splitScopes(params.get('scope')),
    ...(error === undefined ? {} : { error }),
    ...(resourceMetadata === undefined ? {} : { resourceMetadata }),
  }
}

/** The words of a `scope`, those that are none left out. */
export function splitScopes(scope: string | undefined): readonly string[] {
  const words = (scope ?? '').split(/\s+/).filter((word) => scopeWord.test(word))
  return [...new Set(words)].slice(0, scopesMax)
}

// One step of the grammar: a parameter with its value, or the name of a scheme.
const step =
  /[\s,]*([!#$%&'*+\-.^_`|~\w]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+\-.^_`|~\w:/?@]+))|(?=[\s,]|$))/y

/** Parameters by scheme, lower case; of what comes twice, the first. */
function readChallenges(text: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const schemes = new Map<string, Map<string, string>>()
  let current = new Map<string, string>()
  step.lastIndex = 0
  for (let match = step.exec(text); match !== null; match = step.exec(text)) {
    const [, name = '', quoted, plain] = match
    const value = quoted?.replace(/\\(.)/g, '$1') ?? plain
    const key = name.toLowerCase()
    if (value === undefined) {
      current = new Map()
      if (!schemes.has(key)) schemes.set(key, current)
    } else if (!current.has(key)) current.set(key, value)
  }
  return schemes
}
