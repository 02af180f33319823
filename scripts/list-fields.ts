import { isObject } from '../src/core/parse-json.ts'
import type { JsonSchema } from '../src/core/schema.ts'

/** One field of a schema, by its path: `databases.{name}.url`, `results[].rows`. */
export interface Field {
  readonly path: string
  /** In words, with its bounds. */
  readonly type: string
  readonly description: string
  readonly isRequired: boolean
  /** True for a field of one of several forms of its parent, which another form may lack. */
  readonly isOneForm: boolean
  /** As JSON; absent where there is none. */
  readonly fallback?: string
}

/** Every field of a schema and of what it holds, parents first. The schemas of Weir's own code hold no references. */
export function listFields(schema: JsonSchema, prefix = '', isOneForm = false): readonly Field[] {
  const found = new Map<string, Field>()
  for (const [name, property] of Object.entries(propertiesOf(schema))) {
    const path = `${prefix}${name}`
    const isRequired = listAt(schema, 'required').includes(name)
    const own = { ...describeField(path, property), isRequired, isOneForm }
    for (const field of [own, ...listInner(property, path, isOneForm)]) found.set(field.path, field)
  }
  return [...found.values()]
}

function describeField(path: string, schema: JsonSchema): Omit<Field, 'isRequired' | 'isOneForm'> {
  const { default: fallback, description = '' } = schema
  const isShown = fallback !== undefined && !isEmptyObject(fallback)
  return {
    path,
    type: describeType(schema),
    description: String(description),
    ...(isShown ? { fallback: JSON.stringify(fallback) } : {}),
  }
}

function isEmptyObject(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 0
}

/** What stands below a field: its properties, those of its items, those of a map's values. */
function listInner(schema: JsonSchema, path: string, isOneForm: boolean): readonly Field[] {
  const forms = listAt(schema, 'anyOf').filter(isObject)
  const isForm = isOneForm || forms.length > 1
  const { items, additionalProperties: values } = schema
  return [
    ...listFields(schema, `${path}.`, isOneForm),
    ...forms.flatMap((form) => [...listFields(form, `${path}.`, isForm), ...listBelow(form, path, isForm)]),
    ...(isObject(items) ? listInner(items, `${path}[]`, isOneForm) : []),
    ...(isObject(values) ? listInner(values, `${path}.{name}`, isOneForm) : []),
  ]
}

function listBelow({ items, additionalProperties: values }: JsonSchema, path: string, isOneForm: boolean) {
  return [
    ...(isObject(items) ? listInner(items, `${path}[]`, isOneForm) : []),
    ...(isObject(values) ? listInner(values, `${path}.{name}`, isOneForm) : []),
  ]
}

function propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return isObject(schema['properties']) ? (schema['properties'] as Record<string, JsonSchema>) : {}
}

function listAt(schema: JsonSchema, keyword: string): readonly unknown[] {
  return Array.isArray(schema[keyword]) ? schema[keyword] : []
}

function describeType(schema: JsonSchema): string {
  const forms = listAt(schema, 'anyOf').filter(isObject)
  if (forms.length > 0) return joinWords([...new Set(forms.map(describeType))])
  if (Array.isArray(schema['enum'])) return schema['enum'].map((value) => `\`${value}\``).join(', ')
  const types = [schema['type'] ?? []].flat()
  if (types.length === 0) return 'any JSON'
  return types.map((type) => describeOne(String(type), schema)).join(' or ')
}

function describeOne(type: string, schema: JsonSchema): string {
  switch (type) {
    case 'array':
      return `list of ${plural(schema['items'])}${bounds(unlessOne(schema['minItems']), schema['maxItems'], ' items')}`
    case 'object':
      return isMap(schema) ? `map of names to ${plural(schema['additionalProperties'])}` : 'object'
    case 'string':
      return `string${bounds(unlessOne(schema['minLength']), schema['maxLength'], ' characters')}`
    case 'integer':
    case 'number':
      return `${type}${bounds(schema['minimum'], schema['maximum'], '')}`
    default:
      return type
  }
}

/** Names are the caller's and values of one kind; where any value will do it is an object like any other. */
function isMap(schema: JsonSchema): boolean {
  const { additionalProperties: values } = schema
  return isObject(values) && Object.keys(values).length > 0 && Object.keys(propertiesOf(schema)).length === 0
}

function joinWords(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

/** That something is not empty goes without saying. */
function unlessOne(min: unknown): unknown {
  return min === 1 ? undefined : min
}

/** JavaScript's own limits of a whole number are nobody's decision. */
function bounds(min: unknown, max: unknown, unit: string): string {
  const isMin = typeof min === 'number' && Number.isSafeInteger(min) && min !== Number.MIN_SAFE_INTEGER
  const isMax = typeof max === 'number' && max !== Number.MAX_SAFE_INTEGER
  if (isMin && isMax) return `, ${min} to ${max}${unit}`
  if (isMax) return `, at most ${max}${unit}`
  return isMin ? `, at least ${min}${unit}` : ''
}

function plural(schema: unknown): string {
  if (!isObject(schema)) return 'anything'
  const type = describeType(schema)
  return /^(?:string|object|integer|number|boolean)$/.test(type) ? `${type}s` : type
}

/** What a field is where it is left out, in Markdown. */
export function renderDefault({ fallback, isRequired, isOneForm }: Field): string {
  if (fallback !== undefined) return `\`${fallback}\``
  if (!isRequired) return 'none'
  return isOneForm ? 'required in this form' : 'required'
}
