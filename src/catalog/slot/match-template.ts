/**
 * Whether a URI may be of a URI template's form: what stands between its expressions is there, in order, and each
 * expression may be anything. Stands in for the connector's own answer until that is there. Linear.
 */
export function matchTemplate(template: string): (uri: string) => boolean {
  const literals = template.split(/\{[^{}]*\}/)
  const [first = '', ...inner] = literals
  const last = inner.pop()
  return (uri) => {
    if (last === undefined) return uri === first
    if (!uri.startsWith(first) || !uri.endsWith(last)) return false
    let at = first.length
    for (const literal of inner) {
      const found = uri.indexOf(literal, at)
      if (found === -1) return false
      at = found + literal.length
    }
    return at <= uri.length - last.length
  }
}
