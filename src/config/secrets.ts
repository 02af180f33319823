import { coverValues, findUrlPasswords } from '../core/cover-values.ts'

// Shorter values occur in every text; redacting them would leave nothing to read.
const secretCharsMin = 4
const secretsMax = 4_000
// No secret either, and in every log.
const commonWords = new Set(
  'true false null none info warn error debug trace localhost production development'.split(' '),
)

/**
 * What must never be printed. Holds at most 4,000 values; `isFull` tells that one was turned away,
 * and whoever collects must then refuse the configuration rather than print. Prints as nothing itself.
 */
export class Secrets {
  readonly #values = new Set<string>()
  #list: readonly string[] | undefined
  #isFull = false

  get size(): number {
    return this.#values.size
  }

  /** True once a value was turned away, so that redaction is no longer complete. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** Every value, for another thread that covers them; the same array until there are more. */
  list(): readonly string[] {
    this.#list ??= [...this.#values]
    return this.#list
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
    return coverValues(text, this.#values)
  }

  #keep(value: string): void {
    if (value.length < secretCharsMin || commonWords.has(value.toLowerCase())) return
    if (this.#values.has(value)) return
    if (this.#values.size >= secretsMax) this.#isFull = true
    else {
      this.#values.add(value)
      this.#list = undefined
    }
  }
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A stray percent sign stands for itself.
    return text
  }
}
