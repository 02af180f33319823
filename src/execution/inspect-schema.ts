import { isObject } from '../core/parse-json.ts'
import type { JsonSchema } from '../core/schema.ts'
import { compileLinearPattern, measurePattern } from './linear-pattern.ts'

/** What a schema from outside may cost at most (S17). */
const limits = {
  depthMax: 32,
  subschemasMax: 1_000,
  partsMax: 10_000,
  bytesMax: 256 * 1024,
  /** Of all its patterns together; each takes about a kilobyte and a microsecond for one. */
  patternSizeMax: 50_000,
}

/** Keywords whose keys are names of the schema's own and whose values are schemas. */
const schemaMaps = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
  'dependencies',
])
/** Keywords that hold values, not schemas. */
const dataKeywords = ['enum', 'const', 'default', 'examples']
const refKeywords = ['$ref', '$dynamicRef', '$recursiveRef']

/**
 * Refuses a schema that would cost too much to compile or to run. Returns whether it stands alone: a schema that
 * names itself or its parts by URI, or a property that every object inherits, must not meet other schemas.
 */
export function inspectSchema(schema: JsonSchema): { readonly standsAlone: boolean } {
  refuseLargeText(schema)
  const found: Found = { subschemas: 0, patternSize: 0, standsAlone: false }
  walk(schema, 1, found)
  return found
}

interface Found {
  subschemas: number
  patternSize: number
  standsAlone: boolean
}

/** Whatever a reference may point at, a default or an example too, is within these. */
function refuseLargeText(schema: JsonSchema): void {
  let parts = 0
  const count = (node: unknown, depth: number) => {
    if (typeof node !== 'object' || node === null) return
    parts += 1
    // A schema and the map or list it stands in: two levels of JSON for each level of schemas.
    if (depth > limits.depthMax * 2) throw new Error(`it nests deeper than ${limits.depthMax} schemas`)
    if (parts > limits.partsMax) throw new Error(`it holds more than ${limits.partsMax} parts`)
    for (const inner of Object.values(node)) count(inner, depth + 1)
  }
  count(schema, 0)
  if (Buffer.byteLength(JSON.stringify(schema)) > limits.bytesMax) {
    throw new Error(`it is larger than ${limits.bytesMax} bytes`)
  }
}

function walk(schema: Readonly<Record<string, unknown>>, depth: number, found: Found): void {
  found.subschemas += 1
  if (depth > limits.depthMax) throw new Error(`it nests deeper than ${limits.depthMax} schemas`)
  if (found.subschemas > limits.subschemasMax) {
    throw new Error(`it holds more than ${limits.subschemasMax} subschemas`)
  }
  inspectNames(schema, depth, found)
  inspectPatterns(schema, found)
  for (const [keyword, value] of Object.entries(schema)) {
    if (dataKeywords.includes(keyword)) continue
    if (Array.isArray(value)) walkAll(value, depth, found)
    else if (isObject(value)) {
      if (schemaMaps.has(keyword)) walkAll(Object.values(value), depth, found)
      else walk(value, depth + 1, found)
    }
  }
}

function walkAll(schemas: readonly unknown[], depth: number, found: Found): void {
  for (const schema of schemas) if (isObject(schema)) walk(schema, depth + 1, found)
}

function inspectNames(schema: Readonly<Record<string, unknown>>, depth: number, found: Found): void {
  for (const keyword of refKeywords) {
    const ref = schema[keyword]
    if (typeof ref !== 'string') continue
    if (!ref.startsWith('#')) found.standsAlone = true
    if (dataKeywords.some((data) => ref.includes(`/${data}/`) || ref.endsWith(`/${data}`))) {
      throw new Error(`it refers to ${JSON.stringify(ref.slice(0, 200))}, which is no schema`)
    }
  }
  if (depth > 1 && (schema['$id'] !== undefined || schema['id'] !== undefined)) found.standsAlone = true
  const { required } = schema
  const names = [
    ...Object.keys(isObject(schema['properties']) ? schema['properties'] : {}),
    ...(Array.isArray(required) ? required : []),
  ]
  if (names.some((name) => name in Object.prototype)) found.standsAlone = true
}

function inspectPatterns(schema: Readonly<Record<string, unknown>>, found: Found): void {
  const { pattern, patternProperties } = schema
  const names = isObject(patternProperties) ? Object.keys(patternProperties) : []
  for (const source of typeof pattern === 'string' ? [pattern, ...names] : names) {
    found.patternSize += measurePattern(source)
    if (found.patternSize > limits.patternSizeMax) {
      throw new Error(`its patterns repeat themselves more than ${limits.patternSizeMax} times`)
    }
  }
  for (const source of names) {
    // Without the pattern nobody can say which properties it governs.
    if (compileLinearPattern(source) === undefined) {
      throw new Error(`the property pattern ${JSON.stringify(source.slice(0, 200))} has no linear-time form`)
    }
  }
}
