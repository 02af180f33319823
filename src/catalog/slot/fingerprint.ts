import { createHash } from 'node:crypto'
import { isObject } from '../../core/parse-json.ts'

/** Tells two configurations of a connection apart. A hash, because a configuration holds secrets. */
export function fingerprintOf(type: string, config: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([type, config], sortKeys) ?? '')
    .digest('base64url')
}

function sortKeys(_: string, value: unknown): unknown {
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
