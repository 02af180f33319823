import { isObject } from '../core/parse-json.ts'
import type { Capabilities } from './model.ts'

/** The capabilities whose parts are objects too; those of others are flags, or not ours to know. */
const withParts: ReadonlySet<string> = new Set([
  'elicitation',
  'sampling',
  'tasks',
  'experimental',
  'extensions',
])

/**
 * What a client declares. A capability is an object; some clients write `null` for what they cannot do, and a strict
 * server refuses whatever comes with such a declaration. So what is none declares nothing. The same object where all
 * of it is well-formed.
 */
export function readCapabilities(declared: Readonly<Record<string, unknown>>): Capabilities {
  if (isWellFormed(declared)) return declared
  return Object.fromEntries(
    Object.entries(declared)
      .filter(([, value]) => isObject(value))
      .map(([name, value]) => [name, withParts.has(name) ? keepObjects(value as Capabilities) : value]),
  )
}

function isWellFormed(declared: Readonly<Record<string, unknown>>): boolean {
  for (const name in declared) {
    const value = declared[name]
    if (!isObject(value) || (withParts.has(name) && !Object.values(value).every(isObject))) return false
  }
  return true
}

function keepObjects(parts: Capabilities): Capabilities {
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => isObject(part)))
}
