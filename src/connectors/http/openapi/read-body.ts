import { isObject } from '../../../core/parse-json.ts'
import type { OpenapiDocument } from './document.ts'
import type { Node } from './parse-document.ts'
import type { ParameterStyle } from './read-parameters.ts'

/** How a body is written. */
export type BodyForm = 'json' | 'form' | 'multipart' | 'text'

/** The body of an operation. */
export interface RequestBody {
  readonly form: BodyForm
  readonly mediaType: string
  readonly isRequired: boolean
  readonly description: string | undefined
  readonly schema: unknown
  /** How single fields of a form are written, where it is said. */
  readonly styles: ReadonlyMap<string, ParameterStyle>
}

const jsonType = /^(application|text)\/([a-z0-9.+-]+\+)?json$/
/** The first that a body may have is the one that is sent. */
const preferences: readonly (readonly [RegExp, BodyForm])[] = [
  [/^application\/json$/, 'json'],
  [/^application\/merge-patch\+json$/, 'json'],
  [jsonType, 'json'],
  [/^(\*\/\*|application\/\*)$/, 'json'],
  [/^application\/x-www-form-urlencoded$/, 'form'],
  [/^multipart\/form-data$/, 'multipart'],
  [/^text\/plain$/, 'text'],
]

/** The body an operation takes; undefined for none. Throws an Error where it has only forms that Weir cannot write. */
export function readBody(document: OpenapiDocument, operation: Node): RequestBody | undefined {
  if (operation['requestBody'] === undefined) return undefined
  const body = document.follow(operation['requestBody'])
  const content = isObject(body['content']) ? body['content'] : {}
  const types = Object.keys(content)
  if (types.length === 0) return undefined
  for (const [pattern, form] of preferences) {
    const given = types.find((type) => pattern.test(bareType(type)))
    if (given !== undefined) return settle(body, form, given, content[given], document)
  }
  throw new Error(`its body is written as ${types.slice(0, 5).join(', ').slice(0, 200)}`)
}

function settle(
  body: Node,
  form: BodyForm,
  given: string,
  media: unknown,
  document: OpenapiDocument,
): RequestBody {
  const { schema, encoding } = isObject(media) ? media : {}
  if (form === 'multipart' && holdsFile(schema, document)) throw new Error('its body holds a file')
  const { description, required } = body
  return {
    form,
    mediaType: given.includes('*') ? 'application/json' : bareType(given),
    isRequired: required === true,
    description: typeof description === 'string' ? description : undefined,
    schema,
    styles: form === 'form' ? readStyles(encoding, schema, document) : new Map(),
  }
}

/** Without parameters, which a charset would be: what is sent is UTF-8. */
function bareType(type: string): string {
  return type.split(';')[0]!.trim().toLowerCase()
}

/** Files are bytes, and arguments are text. */
function holdsFile(schema: unknown, document: OpenapiDocument): boolean {
  const { properties, allOf } = schema === undefined ? {} : document.follow(schema)
  const fields = Object.values(isObject(properties) ? properties : {})
  return (
    fields.some((field) => isFile(field, document)) ||
    (Array.isArray(allOf) && allOf.some((part) => holdsFile(part, document)))
  )
}

function isFile(value: unknown, document: OpenapiDocument): boolean {
  const { type, format, items, contentMediaType } = document.follow(value)
  if (type === 'array') return items !== undefined && isFile(items, document)
  return type === 'file' || format === 'binary' || contentMediaType === 'application/octet-stream'
}

const formStyles = ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject']

function readStyles(
  encoding: unknown,
  schema: unknown,
  document: OpenapiDocument,
): ReadonlyMap<string, ParameterStyle> {
  const styles = new Map<string, ParameterStyle>()
  for (const [name, value] of Object.entries(isObject(encoding) ? encoding : {})) {
    if (!isObject(value)) continue
    const { style = 'form', explode, allowReserved, contentType } = value
    if (typeof style !== 'string' || !formStyles.includes(style))
      throw new Error('its form has a field of another style')
    styles.set(name, {
      style: style as ParameterStyle['style'],
      explode: typeof explode === 'boolean' ? explode : style === 'form' || style === 'deepObject',
      allowReserved: allowReserved === true,
      isJson:
        typeof contentType === 'string' &&
        jsonType.test(bareType(contentType)) &&
        isObjectField(schema, name, document),
    })
  }
  return styles
}

/** A content type says how objects are written; for plain values it says nothing new. */
function isObjectField(schema: unknown, name: string, document: OpenapiDocument): boolean {
  try {
    const properties = document.follow(schema)['properties']
    return isObject(properties) && document.follow(properties[name])['type'] === 'object'
  } catch {
    return false
  }
}
