import { coverValues, findUrlPasswords } from '../../core/cover-values.ts'

/** As much as is searched for secrets; far more than is kept. */
const searchedCharsMax = 64 * 1024
const urlPasswordCharsMin = 4

/** A caller's text without known secrets and passwords of URLs, cut after they are gone, so that no half of one is left. */
export function redactText(text: string, secrets: readonly string[], bytesMax: number): string {
  const searched = text.slice(0, searchedCharsMax)
  const passwords = findUrlPasswords(searched).filter(({ length }) => length >= urlPasswordCharsMin)
  const covered = coverValues(searched, passwords.length === 0 ? secrets : [...secrets, ...passwords])
  if (text.length <= searchedCharsMax) return cutBytes(covered, bytesMax)
  // What stands at the cut may be the beginning of a secret.
  const longest = secrets.reduce((most, { length }) => Math.max(most, length), 1_024)
  return cutBytes(`${covered.slice(0, Math.max(0, covered.length - longest))}…`, bytesMax)
}

/** At most so many bytes of UTF-8; what was cut ends with `…`. */
export function cutBytes(given: string, bytesMax: number): string {
  // A database gives half a character back as something else, and the hash would not fit any more.
  const text = given.toWellFormed()
  if (text.length * 3 <= bytesMax) return text
  const bytes = Buffer.from(text)
  if (bytes.length <= bytesMax) return text
  const cut = bytes.subarray(0, bytesMax - 3).toString()
  return `${cut.endsWith('\ufffd') ? cut.slice(0, -1) : cut}…`
}
