import { isObject } from '../../../core/parse-json.ts'
import type { ParameterStyle } from './read-parameters.ts'

type Pair = readonly [name: string, value: string]

/** What may stand in a query as it is, where the API wants it so, without ending a value or the query. */
const reserved = /%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi
const nestingMax = 10

/** A value as a path segment or header, before it is encoded: style `simple`. */
export function writeSimple(
  value: unknown,
  { explode, isJson }: ParameterStyle,
  encode: (text: string) => string,
): string {
  if (isJson) return encode(JSON.stringify(value))
  if (Array.isArray(value)) return value.map((item) => encode(writeScalar(item))).join(',')
  if (!isObject(value)) return encode(writeScalar(value))
  const pairs = Object.entries(value).map(([key, item]) => [encode(key), encode(writeScalar(item))])
  return pairs.map((pair) => pair.join(explode ? '=' : ',')).join(',')
}

/** A value as what stands in a query or form: `name=value&…`. Empty where there is nothing to say. */
export function writeQuery(name: string, value: unknown, style: ParameterStyle): string {
  const encode = style.allowReserved ? encodeLoosely : encodeStrictly
  return listPairs(name, value, style, encode)
    .map(([key, text]) => `${key}=${text}`)
    .join('&')
}

type Encode = (text: string) => string

/** Both sides encoded. */
function listPairs(name: string, value: unknown, style: ParameterStyle, encode: Encode): readonly Pair[] {
  const key = encodeStrictly(name)
  if (value === undefined || value === null) return []
  if (style.isJson) return [[key, encode(JSON.stringify(value))]]
  if (typeof value !== 'object') return [[key, encode(writeScalar(value))]]
  if (style.style === 'deepObject') return nest(name, value, encode, 0)
  if (Array.isArray(value)) {
    const items = value.map((item) => encode(writeScalar(item)))
    if (items.length === 0) return []
    return style.explode ? items.map((item): Pair => [key, item]) : [[key, items.join(delimiterOf(style))]]
  }
  const fields = Object.entries(value).filter(([, item]) => item !== null && item !== undefined)
  if (style.explode)
    return fields.map(([field, item]): Pair => [encodeStrictly(field), encode(writeScalar(item))])
  const flat = fields.flatMap(([field, item]) => [encode(field), encode(writeScalar(item))])
  return flat.length === 0 ? [] : [[key, flat.join(delimiterOf(style))]]
}

function delimiterOf({ style }: ParameterStyle): string {
  if (style === 'spaceDelimited') return '%20'
  return style === 'pipeDelimited' ? '%7C' : ','
}

/** `a[b]=c`; lists of plain values as `a[]=b`, lists of objects with their place, as PHP, Rails and Stripe have it. */
function nest(name: string, value: unknown, encode: Encode, depth: number): readonly Pair[] {
  if (value === null || value === undefined) return []
  if (typeof value !== 'object' || depth >= nestingMax)
    return [[encodeBrackets(name), encode(writeScalar(value))]]
  if (!Array.isArray(value))
    return Object.entries(value).flatMap(([key, item]) => nest(`${name}[${key}]`, item, encode, depth + 1))
  const isPlain = value.every((item) => typeof item !== 'object' || item === null)
  return value.flatMap((item, at) => nest(`${name}[${isPlain ? '' : at}]`, item, encode, depth + 1))
}

/** What is no text is written as JSON has it. */
export function writeScalar(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** For a segment of a path, a value of a query or a form. Halves of characters, which no URL can hold, are replaced. */
export function encodeStrictly(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function encodeLoosely(text: string): string {
  return encodeStrictly(text).replace(reserved, (whole) => decodeURIComponent(whole))
}

function encodeBrackets(name: string): string {
  return encodeStrictly(name).replace(/%5B/g, '[').replace(/%5D/g, ']')
}
