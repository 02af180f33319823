const shortest = 4
const mask = '[redacted]'
const depthMax = 128
const learnedMax = 4

/** Takes an API's secrets out of what it answers, because some echo their requests (B-12). */
export interface Redactor {
  /** Covers one more secret from now on; of those, the latest four are kept. */
  learn(secret: string): void
  text(text: string): string
  /** Overwrites in place; for bodies that are not text. */
  bytes(body: Buffer): Buffer
  /** Every string and key of a parsed JSON value. Undefined where it nests too deep to be handled safely. */
  json(value: unknown): { readonly value: unknown } | undefined
}

/** Secrets shorter than four characters are not looked for: they would hit everything. */
export function createRedactor(secrets: readonly string[]): Redactor {
  let learned: readonly string[] = []
  let forms = listForms(secrets)
  const text = (input: string) => forms.reduce((result, form) => result.replaceAll(form, mask), input)
  return {
    learn(secret) {
      learned = [...learned, secret].slice(-learnedMax)
      forms = listForms([...secrets, ...learned])
    },
    text,
    bytes(body) {
      for (const form of forms) {
        const needle = Buffer.from(form)
        for (let at = body.indexOf(needle); at !== -1; at = body.indexOf(needle, at)) {
          body.fill('*', at, at + needle.length)
        }
      }
      return body
    },
    json(value) {
      try {
        return { value: redactJson(value, text, 0) }
      } catch (thrown) {
        if (thrown === tooDeep) return undefined
        throw thrown
      }
    },
  }
}

/** Longest first, so that no form leaves the rest of a longer one behind. */
function listForms(secrets: readonly string[]): readonly string[] {
  return [...new Set(secrets.flatMap(writeForms))]
    .filter((form) => form.length >= shortest)
    .sort((a, b) => b.length - a.length)
}

function writeForms(secret: string): string[] {
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret.toWellFormed()),
    Buffer.from(secret).toString('base64'),
  ]
}

const tooDeep = new Error('The value nests too deep.')

function redactJson(value: unknown, text: (input: string) => string, depth: number): unknown {
  if (typeof value === 'string') return text(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= depthMax) throw tooDeep
  if (Array.isArray(value)) return value.map((item) => redactJson(item, text, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [text(key), redactJson(item, text, depth + 1)]),
  )
}
