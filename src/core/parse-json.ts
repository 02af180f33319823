import { WeirError } from './error.ts'

/** What a body from outside may hold at most (R20). */
export interface JsonLimits {
  readonly depthMax: number
  readonly elementsMax: number
}

/** R20's limits for everything that comes from outside. */
export const defaultJsonLimits: JsonLimits = { depthMax: 64, elementsMax: 100_000 }

/**
 * Parses JSON from outside: bounded in depth and elements before anything is built (R20), and free of keys that
 * programs mistake for an object's prototype (S18). Throws PARSE_ERROR, BODY_TOO_COMPLEX or FORBIDDEN_KEY.
 */
export function parseJson(text: string, limits: JsonLimits = defaultJsonLimits): unknown {
  if (mayBeTooComplex(text, limits)) checkComplexity(text, limits)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new WeirError('PARSE_ERROR', 'The body is not valid JSON.', {
      hint: 'Send one JSON document in UTF-8.',
      cause,
    })
  }
  if (mayHoldForbiddenKey(text)) refuseForbiddenKeys(value)
  return value
}

/** Cheap and never wrong the dangerous way: few brackets cannot nest deep, a short text cannot hold many elements. */
function mayBeTooComplex(text: string, { depthMax, elementsMax }: JsonLimits): boolean {
  if (text.length > elementsMax) return true
  let brackets = 0
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      brackets += 1
      if (brackets > depthMax) return true
    }
  }
  return false
}

function checkComplexity(text: string, { depthMax, elementsMax }: JsonLimits): void {
  let depth = 0
  let elements = 0
  let inString = false
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i)
    if (inString) {
      if (code === 0x5c) i += 1
      else if (code === 0x22) inString = false
    } else if (code === 0x22) inString = true
    else if (code === 0x7b || code === 0x5b) {
      depth += 1
      elements += 1
      if (depth > depthMax) throw tooComplex(`nests deeper than ${depthMax} levels`)
    } else if (code === 0x7d || code === 0x5d) depth -= 1
    else if (code === 0x2c) elements += 1
    if (elements > elementsMax) throw tooComplex(`holds more than ${elementsMax} elements`)
  }
}

function tooComplex(what: string): WeirError {
  return new WeirError('BODY_TOO_COMPLEX', `The body ${what}.`, { hint: 'Send less in one request.' })
}

/** A key written with an escape could spell anything, so any escape makes us look. */
function mayHoldForbiddenKey(text: string): boolean {
  return text.includes('__proto__') || text.includes('constructor') || text.includes('\\u')
}

function refuseForbiddenKeys(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    // A plain "constructor" is an honest name (of a racing team, say); one that holds a prototype is an attack.
    if (
      key === '__proto__' ||
      (key === 'constructor' && isObject(inner) && Object.hasOwn(inner, 'prototype'))
    ) {
      throw new WeirError('FORBIDDEN_KEY', `The body holds the key "${key}".`, { hint: 'Rename the key.' })
    }
    refuseForbiddenKeys(inner)
  }
}

/** A JSON object: neither null nor an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
