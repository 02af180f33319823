/** `*` stands for any characters; everything else for itself. Linear: no pattern can make it slow. */
export function compileGlob(pattern: string): (text: string) => boolean {
  if (!pattern.includes('*')) return (text) => text === pattern
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop() ?? ''
  return (text) => {
    if (!text.startsWith(first) || text.length < first.length + last.length) return false
    let at = first.length
    for (const part of rest) {
      const found = text.indexOf(part, at)
      if (found === -1) return false
      at = found + part.length
    }
    return text.length - last.length >= at && text.endsWith(last)
  }
}

/** Whether any of the patterns fits. */
export function compileGlobs(patterns: readonly string[]): (text: string) => boolean {
  const globs = patterns.map(compileGlob)
  return (text) => globs.some((matches) => matches(text))
}
