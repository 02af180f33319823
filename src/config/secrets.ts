const mark = '[redacted]'
// Shorter values occur in every text; redacting them would leave nothing to read.
const secretCharsMin = 4
const secretsMax = 4_000
// No secret either, and in every log.
const commonWords = new Set(
  'true false null none info warn error debug trace localhost production development'.split(' '),
)

interface Span {
  readonly start: number
  end: number
}

/**
 * What must never be printed. Holds at most 4,000 values; `isFull` tells that one was turned away,
 * and whoever collects must then refuse the configuration rather than print. Prints as nothing itself.
 */
export class Secrets {
  readonly #values = new Set<string>()
  #isFull = false

  get size(): number {
    return this.#values.size
  }

  /** True once a value was turned away, so that redaction is no longer complete. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** Adds a value and its form inside JSON text. Values under 4 characters and everyday words are ignored. */
  add(value: string): void {
    this.#keep(value)
    this.#keep(JSON.stringify(value).slice(1, -1))
  }

  /** Adds the password of every URL in `text`, as written and percent-decoded. */
  addUrlPasswords(text: string): void {
    for (const password of findUrlPasswords(text)) {
      this.add(password)
      this.add(decodePercent(password))
    }
  }

  /** `text` with every character that belongs to a secret covered; touching secrets become one mark. */
  redact(text: string): string {
    const spans: Span[] = []
    for (const value of this.#values) collectSpans(text, value, spans)
    if (spans.length === 0) return text
    return cover(
      text,
      spans.sort((a, b) => a.start - b.start),
    )
  }

  #keep(value: string): void {
    if (value.length < secretCharsMin || commonWords.has(value.toLowerCase())) return
    if (this.#values.has(value)) return
    if (this.#values.size >= secretsMax) this.#isFull = true
    else this.#values.add(value)
  }
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

/** Found by hand: a regular expression over `scheme://` is quadratic on a long line of letters. */
function findUrlPasswords(text: string): string[] {
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

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A stray percent sign stands for itself.
    return text
  }
}
