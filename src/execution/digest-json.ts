import { createHash } from 'node:crypto'
import { canonicalJson } from '../core/canonical-json.ts'

/** SHA-256, base64url, of a JSON value: the same for equal values, whatever the order of their keys. */
export function digestJson(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('base64url')
}
