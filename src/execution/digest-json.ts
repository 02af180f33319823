import { createHash } from 'node:crypto'
import { isObject } from '../core/parse-json.ts'

/** SHA-256, base64url, of a JSON value: the same for equal values, whatever the order of their keys. */
export function digestJson(value: unknown): string {
  return createHash('sha256').update(spell(value)).digest('base64url')
}

function spell(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spell).join()}]`
  if (!isObject(value)) return JSON.stringify(value) ?? 'null'
  const keys = Object.keys(value).filter((key) => value[key] !== undefined)
  return `{${keys
    .sort()
    .map((key) => `${JSON.stringify(key)}:${spell(value[key])}`)
    .join()}}`
}
