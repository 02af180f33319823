import { isSensitiveKey } from '../core/sensitive-key.ts'

const mark = '[redacted]'
/** Deeper than any line of ours; what lies below is left out rather than searched. */
const depthMax = 8

/**
 * A line's fields without the values whose keys say that they are secret, wherever they stand (S16). Errors become
 * their stack, because whatever a library hung on them beside it is nobody's to log.
 */
export function redactFields(fields: object): Record<string, unknown> {
  return redactObject(fields, 1)
}

function redactObject(value: object, depth: number): Record<string, unknown> {
  const redacted: Record<string, unknown> = {}
  for (const [key, inner] of Object.entries(value)) {
    redacted[key] = isSensitiveKey(key) ? mark : redactValue(inner, depth + 1)
  }
  return redacted
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Error) return value.stack ?? value.message
  if (depth > depthMax) return '[…]'
  if (Array.isArray(value)) return value.map((inner) => redactValue(inner, depth + 1))
  // Dates, URLs and the like say themselves.
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return value
  return redactObject(value, depth)
}
