import { WeirError } from '../core/error.ts'
import { isObject, parseJson } from '../core/parse-json.ts'
import type { JsonSchema } from '../core/schema.ts'

/** References and alternatives followed on the way to a property's types. */
const depthMax = 8

/** A tool's arguments from `--args` and `key=value` words, the words winning. Throws INVALID_PARAMS. */
export function parseArguments(
  schema: JsonSchema,
  words: readonly string[],
  json: string | undefined,
): Record<string, unknown> {
  const parsed = json === undefined ? {} : parseObject(json)
  const seen = new Set<string>()
  for (const word of words) {
    const at = word.indexOf('=')
    if (at < 1) throw invalid(`The argument ${JSON.stringify(word)} is not of the form key=value.`)
    const [key, text] = [word.slice(0, at), word.slice(at + 1)]
    if (key === '__proto__') throw invalid('No tool has an argument named __proto__.')
    if (seen.has(key)) throw invalid(`The argument ${JSON.stringify(key)} is given twice.`)
    seen.add(key)
    parsed[key] = parseValue(key, text, schema)
  }
  return parsed
}

function parseObject(json: string): Record<string, unknown> {
  let value: unknown
  try {
    value = parseJson(json)
  } catch (cause) {
    if (!(cause instanceof WeirError)) throw cause
    throw invalid(`--args cannot be read: ${cause.message.replace('The body', 'the text')}`)
  }
  if (!isObject(value)) throw invalid('--args is not a JSON object.')
  return value
}

/** As the schema says: text stays text, everything else is written as JSON. */
function parseValue(key: string, text: string, schema: JsonSchema): unknown {
  const types = typesOf(propertyOf(schema, key), schema)
  if (types.size === 0 || types.has('string')) return text
  try {
    const value: unknown = JSON.parse(text)
    if (types.has(typeName(value))) return value
  } catch {
    // What is no JSON is told below, like JSON of another type.
  }
  throw invalid(
    `The argument ${JSON.stringify(key)} takes ${[...types].join(' or ')}, and ${JSON.stringify(text.slice(0, 80))} is not.`,
    'Write arrays and objects as JSON in single quotes, or give everything with --args.',
  )
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

function propertyOf(schema: JsonSchema, key: string): unknown {
  const properties = schema['properties']
  if (isObject(properties) && Object.hasOwn(properties, key)) return properties[key]
  return schema['additionalProperties']
}

/** Every JSON type that the schema lets through; empty where it does not say. */
function typesOf(schema: unknown, root: JsonSchema, depth = 0): Set<string> {
  if (!isObject(schema) || depth > depthMax) return new Set()
  const own = [schema['type']].flat().filter((type) => typeof type === 'string')
  const named = own.map((type) => (type === 'integer' ? 'number' : type))
  const listed = listedValues(schema).map(typeName)
  const inner = ['anyOf', 'oneOf', 'allOf'].flatMap((keyword): unknown[] => [schema[keyword] ?? []].flat())
  if (typeof schema['$ref'] === 'string') inner.push(resolveReference(schema['$ref'], root))
  const found = inner.flatMap((branch) => [...typesOf(branch, root, depth + 1)])
  return new Set([...named, ...(named.length > 0 ? [] : listed), ...found])
}

function listedValues(schema: JsonSchema): readonly unknown[] {
  const { enum: listed = [] } = schema
  return 'const' in schema ? [schema['const']] : [listed].flat()
}

function resolveReference(reference: string, root: JsonSchema): unknown {
  let schema: unknown = root
  for (const step of reference.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
    schema = isObject(schema) && Object.hasOwn(schema, key) ? schema[key] : undefined
  }
  return schema
}

function invalid(message: string, hint = 'See `weir call --help`.'): WeirError {
  return new WeirError('INVALID_PARAMS', message, { hint })
}
