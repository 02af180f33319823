import { holdsHidden, listHidden, showHidden, stripHidden } from '../../core/hidden-text.ts'
import { isObject } from '../../core/parse-json.ts'

/** Keywords whose keys are names of the schema's own, and whose values are schemas. */
const schemaMaps = new Set([
  ...['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', 'dependencies'],
])
/** Keywords that hold a schema or a list of them. */
const schemas = new Set([
  ...['items', 'prefixItems', 'additionalItems', 'additionalProperties', 'unevaluatedItems', 'contains'],
  ...['unevaluatedProperties', 'propertyNames', 'not', 'if', 'then', 'else', 'allOf', 'anyOf', 'oneOf'],
  ...['contentSchema'],
])
/** Keywords whose values a caller must hit, or that lead to other parts: none of them may be changed. */
const exact = new Set([
  ...[
    'enum',
    'const',
    'default',
    'examples',
    'example',
    'required',
    'dependentRequired',
    'pattern',
    'format',
  ],
  ...['type', '$ref', '$dynamicRef', '$recursiveRef', '$id', '$schema', '$anchor', '$dynamicAnchor'],
])

/** Why a definition cannot be cleaned: something hidden stands where it must stay as it is. */
export class UncleanError extends Error {}

/** Texts without what is hidden in them, and members without those whose names hide something. */
export function cleanProse(value: unknown): unknown {
  if (typeof value === 'string') return stripHidden(value)
  if (Array.isArray(value)) return value.map(cleanProse)
  return isObject(value) ? cleanMembers(value, (_key, inner) => cleanProse(inner)) : value
}

/**
 * A schema whose titles, descriptions and unknown keywords hide nothing. What arguments must equal or be called is
 * never changed: throws an UncleanError where something is hidden there.
 */
export function cleanSchema(schema: unknown, path = ''): unknown {
  if (Array.isArray(schema)) return schema.map((item, i) => cleanSchema(item, `${path}/${i}`))
  if (!isObject(schema)) return schema
  return cleanMembers(schema, (keyword, value) => {
    const here = `${path}/${keyword}`
    if (exact.has(keyword)) return requireClean(value, here)
    if (schemas.has(keyword)) return cleanSchema(value, here)
    if (!schemaMaps.has(keyword) || !isObject(value)) return cleanProse(value)
    for (const name of Object.keys(value)) requireClean(name, here)
    return cleanMembers(value, (name, inner) =>
      // Old dialects have lists of names here, too.
      Array.isArray(inner) ? requireClean(inner, here) : cleanSchema(inner, `${here}/${name}`),
    )
  })
}

/** The value itself, where it hides nothing. Throws an UncleanError where it does. */
export function requireClean<T>(value: T, path: string): T {
  const [first] = listAllHidden(value)
  if (first === undefined) return value
  throw new UncleanError(`${showHidden(path).slice(0, 200)} holds ${first}`)
}

/** Everything hidden in any text or name of a value, as code points, in its order. */
export function listAllHidden(value: unknown): readonly string[] {
  if (typeof value === 'string') return listHidden(value)
  if (Array.isArray(value)) return value.flatMap(listAllHidden)
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([key, inner]) => [...listHidden(key), ...listAllHidden(inner)])
}

/** Whether any text or name of a value hides something. */
export function holdsAnyHidden(value: unknown): boolean {
  if (typeof value === 'string') return holdsHidden(value)
  if (Array.isArray(value)) return value.some(holdsAnyHidden)
  if (!isObject(value)) return false
  for (const key in value) if (holdsHidden(key) || holdsAnyHidden(value[key])) return true
  return false
}

/** A member whose name hides something is dropped: under the cleaned name it could become another one. */
function cleanMembers(
  value: Record<string, unknown>,
  clean: (key: string, inner: unknown) => unknown,
): Record<string, unknown> {
  const kept = Object.entries(value).filter(([key]) => !holdsHidden(key))
  return Object.fromEntries(kept.map(([key, inner]) => [key, clean(key, inner)]))
}
