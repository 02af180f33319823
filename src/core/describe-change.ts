import { showHidden } from './hidden-text.ts'
import { isObject } from './parse-json.ts'

/** How much of a change is shown. */
export interface ChangeLimits {
  readonly linesMax: number
  readonly valueCharsMax: number
}

/** Enough of what is the same to see where the difference is. */
const contextChars = 30
const depthMax = 256

/**
 * What changed from one definition to another, both as JSON text: a line `- path: value` for what was, and `+ path:
 * value` for what is. Without the first, all is new. Nothing that a terminal would obey is in it.
 */
export function describeChange(before: string | undefined, after: string, limits: ChangeLimits): string {
  const old = before === undefined ? new Map<string, string>() : flatten(before)
  const now = flatten(after)
  const paths = [...new Set([...old.keys(), ...now.keys()])].sort()
  const lines = paths.flatMap((path) =>
    describePath(path, old.get(path), now.get(path), limits.valueCharsMax),
  )
  if (lines.length <= limits.linesMax) return lines.join('\n')
  const more = lines.length - limits.linesMax
  return [...lines.slice(0, limits.linesMax), `… and ${more} lines more`].join('\n')
}

function describePath(
  path: string,
  before: string | undefined,
  after: string | undefined,
  charsMax: number,
): readonly string[] {
  if (before === after) return []
  const [from, to] = before === undefined || after === undefined ? [0, 0] : spanOfChange(before, after)
  const show = (sign: string, text: string | undefined) =>
    text === undefined ? [] : [`${sign} ${path}: ${excerpt(text, from, text.length - to, charsMax)}`]
  return [...show('-', before), ...show('+', after)]
}

/** How many characters two texts share at their beginnings and at their ends, less what is kept to be seen. */
function spanOfChange(a: string, b: string): readonly [from: number, toEnd: number] {
  const shortest = Math.min(a.length, b.length)
  let same = 0
  while (same < shortest && a[same] === b[same]) same += 1
  let sameEnd = 0
  while (sameEnd < shortest - same && a[a.length - 1 - sameEnd] === b[b.length - 1 - sameEnd]) sameEnd += 1
  return [Math.max(0, same - contextChars), Math.max(0, sameEnd - contextChars)]
}

function excerpt(text: string, from: number, to: number, charsMax: number): string {
  const part = text.slice(from, Math.min(to, from + charsMax))
  const left = text.length - from - part.length
  // Between two halves of a surrogate pair, a cut would make characters of its own.
  const shown = showHidden(part.toWellFormed())
  return `${from > 0 ? '…' : ''}${shown}${left > 0 ? `… (${text.length} characters)` : ''}`
}

/** Every leaf of a JSON text by its path, as JSON. */
function flatten(text: string): Map<string, string> {
  const leaves = new Map<string, string>()
  visit(JSON.parse(text), '', 0, leaves)
  return leaves
}

function visit(value: unknown, path: string, depth: number, leaves: Map<string, string>): void {
  const entries = Array.isArray(value) ? [...value.entries()] : isObject(value) ? Object.entries(value) : []
  if (entries.length === 0 || depth >= depthMax) {
    leaves.set(path, JSON.stringify(value))
    return
  }
  for (const [key, inner] of entries) visit(inner, joinPath(path, key), depth + 1, leaves)
}

function joinPath(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`
  const step = /^[A-Za-z_$][\w$-]{0,99}$/.test(key) ? key : showHidden(JSON.stringify(key.slice(0, 200)))
  return path === '' ? step : `${path}.${step}`
}
