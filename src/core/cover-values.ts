const mark = '[redacted]'

interface Span {
  readonly start: number
  end: number
}

/** `text` with every character that belongs to one of `values` covered; touching values become one mark (S16). */
export function coverValues(text: string, values: Iterable<string>): string {
  const spans: Span[] = []
  for (const value of values) collectSpans(text, value, spans)
  if (spans.length === 0) return text
  return cover(
    text,
    spans.sort((a, b) => a.start - b.start),
  )
}

/** Adds where `value` occurs in `text`; occurrences that overlap make one span, so spans stay few. */
function collectSpans(text: string, value: string, spans: Span[]): void {
  let last: Span | undefined
  for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, at + 1)) {
    if (last !== undefined && at <= last.end) {
      last.end = at + value.length
      continue
    }
    last = { start: at, end: at + value.length }
    spans.push(last)
  }
}

function cover(text: string, sorted: readonly Span[]): string {
  const kept: string[] = []
  let end = -1
  for (const span of sorted) {
    if (span.start > end) kept.push(text.slice(Math.max(end, 0), span.start), mark)
    end = Math.max(end, span.end)
  }
  kept.push(text.slice(end))
  return kept.join('')
}

const authorityEnd = /[\s/?#"'<>]/g

/** The passwords of URLs in a text. Found by hand: a regular expression over `scheme://` is quadratic on a long line of letters. */
export function findUrlPasswords(text: string): readonly string[] {
  const found: string[] = []
  for (let at = text.indexOf('://'); at !== -1; at = text.indexOf('://', at + 3)) {
    authorityEnd.lastIndex = at + 3
    const end = authorityEnd.exec(text)?.index ?? text.length
    const authority = text.slice(at + 3, end)
    const userinfo = authority.slice(0, Math.max(authority.lastIndexOf('@'), 0))
    const colon = userinfo.indexOf(':')
    if (colon !== -1) found.push(userinfo.slice(colon + 1))
  }
  return found
}
