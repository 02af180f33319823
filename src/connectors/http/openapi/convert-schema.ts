import { isObject } from '../../../core/parse-json.ts'
import type { JsonSchema } from '../../../core/schema.ts'
import { cutText } from './cut-text.ts'
import { relaxNullable, settleEnum, settleLimits } from './dialect-30.ts'
import type { OpenapiDocument } from './document.ts'
import { isSafePattern, plainKeywords } from './keyword-rules.ts'
import type { Node } from './parse-document.ts'

/** What a schema is for: fields that only the API sets have no place in a request, those it never shows none in an answer. */
export type Direction = 'request' | 'answer'

/** What the converter asks about references. */
export interface RefBook {
  readonly document: OpenapiDocument
  /** The name of a referenced schema among the `$defs` of a tool; the same in every tool. */
  nameOf(ref: string): string
  /** Whether following `ref` where it stands inside `owner` comes back to `owner` without going into the value. */
  isCircular(ref: string, owner: string | undefined, isAllOf: boolean): boolean
}

/** How one schema is converted. */
export interface Conversion {
  readonly book: RefBook
  readonly direction: Direction
  /** The reference under which the schema is known, where it is a definition of its own. */
  readonly owner: string | undefined
  /** Whether descriptions and examples come along. */
  readonly keepsTexts: boolean
  /** Every reference that the result holds. */
  readonly refs: Set<string>
}

/** Schemas written one within the other; beyond it anything is allowed. */
const depthMax = 24
const descriptionCharsMax = 400
const mapKeywords = ['properties', 'patternProperties']
const innerKeywords = ['items', 'additionalProperties', 'contains', 'propertyNames']
/** Conditions and alternatives say something of the value itself, not of a part of it. */
const conditionKeywords = ['then', 'else']
const textKeywords = new Set(['description', 'default', 'examples', 'deprecated', 'contentMediaType'])

type Schema = Record<string, unknown>

/**
 * A schema of a document as JSON Schema 2020-12. References become `#/$defs/…`, so that recursion survives and nothing is
 * written twice. What is no schema, or would refuse what the API takes, is left out rather than passed on.
 */
export function convertSchema(value: unknown, conversion: Conversion, depth = 0): JsonSchema | boolean {
  if (typeof value === 'boolean') return value
  if (!isObject(value) || depth > depthMax) return {}
  const { document } = conversion.book
  const ref = value['$ref']
  if (typeof ref === 'string') return convertRef(ref, value, conversion, depth)
  const node = document.dialect === '3.0' ? settleLimits(value) : value
  const schema = convertKeywords(node, conversion, depth)
  return node['nullable'] === true && document.dialect === '3.0' ? relaxNullable(schema) : schema
}

function convertRef(ref: string, node: Node, conversion: Conversion, depth: number): JsonSchema {
  const { book } = conversion
  const { $ref: _, ...siblings } = node
  const is30 = book.document.dialect === '3.0'
  // 3.0 ignores what stands beside a reference; a description does no harm, and null is what people mean.
  const kept: Node = is30 ? { description: siblings['description'] } : siblings
  const more = convertKeywords(kept, conversion, depth)
  if (book.document.find(ref) === undefined || book.isCircular(ref, conversion.owner, false)) return more
  conversion.refs.add(ref)
  const schema = { $ref: `#/$defs/${book.nameOf(ref)}`, ...more }
  return is30 && siblings['nullable'] === true ? relaxNullable(schema) : schema
}

function convertKeywords(node: Node, conversion: Conversion, depth: number): Schema {
  const schema: Schema = {}
  const part = conversion.owner === undefined ? conversion : { ...conversion, owner: undefined }
  const inner = (value: unknown) => convertSchema(value, part, depth + 1)
  const same = (value: unknown) => convertSchema(value, conversion, depth + 1)
  convertPlain(node, schema, conversion)
  for (const keyword of innerKeywords) if (isSchema(node[keyword])) schema[keyword] = inner(node[keyword])
  for (const keyword of mapKeywords) {
    const map = node[keyword]
    if (isObject(map)) schema[keyword] = convertMap(map, inner)
  }
  if (isObject(node['dependentSchemas']))
    schema['dependentSchemas'] = convertMap(node['dependentSchemas'], same)
  if (isFilled(node['prefixItems'])) schema['prefixItems'] = node['prefixItems'].map(inner)
  for (const keyword of conditionKeywords) if (isSchema(node[keyword])) schema[keyword] = same(node[keyword])
  const all = isFilled(node['allOf']) ? convertAllOf(node['allOf'], conversion, depth) : []
  all.push(...convertAlternatives(node, schema, same))
  if (all.length > 0) schema['allOf'] = all
  convertConditions(node, schema, conversion, depth)
  dropHiddenFields(node, schema, conversion)
  dropUnsafePatterns(schema)
  settleEnum(schema)
  return schema
}

function convertPlain(node: Node, schema: Schema, { keepsTexts }: Conversion): void {
  for (const [keyword, keep] of plainKeywords) {
    if (node[keyword] === undefined || (!keepsTexts && textKeywords.has(keyword))) continue
    const kept = keep(node[keyword])
    if (kept !== undefined) schema[keyword] = kept
  }
  if (!keepsTexts) return
  const { description, example } = node
  if (typeof description === 'string' && description.trim() !== '')
    schema['description'] = cutText(description.trim(), descriptionCharsMax)
  if (example !== undefined && schema['examples'] === undefined) {
    const kept = plainKeywords.get('examples')!([example])
    if (kept !== undefined) schema['examples'] = kept
  }
}

function convertMap(map: Node, inner: (value: unknown) => unknown): Schema {
  return Object.fromEntries(
    Object.entries(map)
      .filter(([, value]) => isSchema(value))
      .map(([name, value]) => [name, inner(value)]),
  )
}

/**
 * `oneOf` becomes `anyOf`: the alternatives of real documents overlap (a text, or a text of one form), and a value that
 * fits two of them is one that the API takes. A mapping says which alternative each value of its field means. Where both
 * keywords stand, what comes of the second is given back.
 */
function convertAlternatives(
  { oneOf, anyOf, discriminator }: Node,
  schema: Schema,
  same: (value: unknown) => JsonSchema | boolean,
): readonly JsonSchema[] {
  const lists = [anyOf, oneOf].filter(isFilled).map((list) => ({
    anyOf: list.map((value) => nameVariant(same(value), value, discriminator)),
  }))
  if (lists[0] !== undefined) schema['anyOf'] = lists[0].anyOf
  return lists.slice(1)
}

function nameVariant(
  schema: JsonSchema | boolean,
  value: unknown,
  discriminator: unknown,
): JsonSchema | boolean {
  if (!isObject(discriminator) || !isObject(discriminator['mapping']) || !isObject(value)) return schema
  const { propertyName, mapping } = discriminator
  const ref: unknown = value['$ref']
  if (typeof propertyName !== 'string' || typeof ref !== 'string' || typeof schema === 'boolean')
    return schema
  const values = Object.entries(mapping as Node)
    .filter(([, target]) => target === ref || `#/components/schemas/${target}` === ref)
    .map(([name]) => name)
  if (values.length === 0 || schema['properties'] !== undefined) return schema
  return { ...schema, properties: { [propertyName]: { enum: values } } }
}

/** A parent that lists its children, each of which extends it, gives them its own fields and not the list. */
function convertAllOf(list: readonly unknown[], conversion: Conversion, depth: number): unknown[] {
  const { book, owner } = conversion
  return list.map((part) => {
    const ref = isObject(part) ? part['$ref'] : undefined
    if (typeof ref !== 'string' || !book.isCircular(ref, owner, true))
      return convertSchema(part, conversion, depth + 1)
    const parent = book.document.find(ref)
    if (!isObject(parent)) return {}
    const { oneOf: _one, anyOf: _any, allOf: _all, $ref: _ref, ...own } = parent
    return convertSchema(own, conversion, depth + 1)
  })
}

/** A reference that is cut short allows anything, and that is the contrary of what these two would say of it. */
function convertConditions(node: Node, schema: Schema, conversion: Conversion, depth: number): void {
  for (const keyword of ['not', 'if'] as const) {
    if (!isSchema(node[keyword])) continue
    const refs = new Set<string>()
    const converted = convertSchema(node[keyword], { ...conversion, refs }, depth + 1)
    if (refs.size === 0) schema[keyword] = converted
  }
  if (schema['if'] !== undefined) return
  delete schema['then']
  delete schema['else']
}

function dropHiddenFields(node: Node, schema: Schema, { book, direction }: Conversion): void {
  const properties = node['properties']
  if (!isObject(properties)) return
  const flag = direction === 'request' ? 'readOnly' : 'writeOnly'
  const hidden = Object.keys(properties).filter((name) => isFlagged(properties[name], flag, book.document))
  if (hidden.length === 0) return
  for (const name of hidden) delete (schema['properties'] as Schema)[name]
  const required = schema['required'] as readonly string[] | undefined
  if (required === undefined) return
  const left = required.filter((name) => !hidden.includes(name))
  if (left.length > 0) schema['required'] = left
  else delete schema['required']
}

function isFlagged(value: unknown, flag: string, document: OpenapiDocument): boolean {
  if (!isObject(value)) return false
  if (value[flag] === true) return true
  const ref = value['$ref']
  const target = typeof ref === 'string' ? document.find(ref) : undefined
  return isObject(target) && target[flag] === true
}

/** Which fields a pattern governs cannot be said without it, so then others are allowed too. */
function dropUnsafePatterns(schema: Schema): void {
  const patterns = schema['patternProperties']
  if (patterns === undefined || Object.keys(patterns as Schema).every(isSafePattern)) return
  delete schema['patternProperties']
  delete schema['additionalProperties']
}

function isFilled(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length > 0
}

function isSchema(value: unknown): boolean {
  return isObject(value) || typeof value === 'boolean'
}
