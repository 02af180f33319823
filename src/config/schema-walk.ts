import type { JsonSchema } from '../core/schema.ts'
import { isRecord, type Path } from './path.ts'

// Guards against references in a circle; no config nests its alternatives this deep.
const branchDepthMax = 16

/** Every alternative of a JSON Schema (references, anyOf, oneOf, allOf), as a flat list. */
function branches(schema: unknown, root: JsonSchema, depth = 0): JsonSchema[] {
  if (!isRecord(schema) || depth > branchDepthMax) return []
  const inner = [schema['anyOf'], schema['oneOf'], schema['allOf']].flatMap((list) =>
    Array.isArray(list) ? list : [],
  )
  if (typeof schema['$ref'] === 'string') inner.push(resolveReference(schema['$ref'], root))
  const below = inner.flatMap((branch) => branches(branch, root, depth + 1))
  return below.length > 0 ? [schema, ...below].filter(saysSomething) : [schema]
}

/** A schema that only points at others opens nothing itself. */
function saysSomething(schema: JsonSchema): boolean {
  return ['type', 'properties', 'enum', 'const'].some((keyword) => keyword in schema)
}

function resolveReference(reference: string, root: JsonSchema): unknown {
  let schema: unknown = root
  for (const step of reference.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
    schema = isRecord(schema) && Object.hasOwn(schema, key) ? schema[key] : undefined
  }
  return schema
}

function property(schema: JsonSchema, key: string): unknown {
  const properties = schema['properties']
  return isRecord(properties) && Object.hasOwn(properties, key) ? properties[key] : undefined
}

/** Whether objects may hold keys that are not listed: maps may, and so may what says nothing. */
function isOpen(schema: JsonSchema): boolean {
  const additional = schema['additionalProperties']
  if (additional !== undefined) return additional !== false
  if ('patternProperties' in schema) return true
  const types = [schema['type']].flat()
  return !('properties' in schema) && (types.includes(undefined) || types.includes('object'))
}

/** What a value under `key` must satisfy, by every alternative that knows the key. */
function childSchemas(schemas: readonly JsonSchema[], key: string | number, root: JsonSchema): JsonSchema[] {
  return schemas.flatMap((schema) => {
    if (typeof key === 'number') return branches(schema['items'], root)
    return branches(property(schema, key) ?? schema['additionalProperties'], root)
  })
}

/** The alternatives for the value at `path`; empty where the schema does not reach. */
function schemasAt(root: JsonSchema, path: Path): JsonSchema[] {
  return path.reduce<JsonSchema[]>((schemas, key) => childSchemas(schemas, key, root), branches(root, root))
}

/** The keys an object at `path` may have, over all alternatives. */
export function knownKeysAt(root: JsonSchema, path: Path): string[] {
  const keys = schemasAt(root, path).flatMap((schema) => Object.keys(schema['properties'] ?? {}))
  return [...new Set(keys)]
}

/**
 * Paths of keys that no alternative knows, at any depth. An object with listed properties is closed
 * unless it says otherwise, so that a connector cannot forget to refuse a misspelt key.
 */
export function findUnknownKeys(value: unknown, root: JsonSchema): Path[] {
  const found: Path[] = []
  visit(value, branches(root, root), [], root, found)
  return found
}

function visit(value: unknown, schemas: JsonSchema[], path: Path, root: JsonSchema, found: Path[]): void {
  if (Array.isArray(value)) {
    const items = schemas.flatMap((schema) => branches(schema['items'], root))
    value.forEach((item, index) => {
      visit(item, items, [...path, index], root, found)
    })
  }
  if (!isRecord(value) || schemas.length === 0) return
  const takesObjects = schemas.some((schema) => 'properties' in schema || isOpen(schema))
  for (const [key, item] of Object.entries(value)) {
    const isKnown = schemas.some((schema) => property(schema, key) !== undefined || isOpen(schema))
    if (takesObjects && !isKnown) found.push([...path, key])
    else visit(item, childSchemas(schemas, key, root), [...path, key], root, found)
  }
}

/** Whether only numbers, booleans and listed words fit at `path`: nothing that could hide a secret. */
export function isPlainAt(root: JsonSchema, path: Path): boolean {
  const schemas = schemasAt(root, path)
  return schemas.length > 0 && schemas.every(isPlain)
}

function isPlain(schema: JsonSchema): boolean {
  if ('enum' in schema || 'const' in schema) return true
  const types = [schema['type']].flat()
  return types.every(
    (type) => type === 'number' || type === 'integer' || type === 'boolean' || type === 'null',
  )
}
