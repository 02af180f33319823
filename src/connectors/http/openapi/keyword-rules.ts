import { isObject } from '../../../core/parse-json.ts'

const dataCharsMax = 500
const dataDepthMax = 6
const enumItemsMax = 500
const types = new Set(['string', 'number', 'integer', 'boolean', 'array', 'object', 'null'])

/** Keeps a keyword's value where it is what JSON Schema wants, else gives undefined: documents in the wild say anything. */
type KeywordRule = (value: unknown) => unknown

const number: KeywordRule = (value) =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined
const count: KeywordRule = (value) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? value : undefined
const boolean: KeywordRule = (value) => (typeof value === 'boolean' ? value : undefined)
const data: KeywordRule = (value) => (isSmallData(value) ? value : undefined)
const names: KeywordRule = (value) => {
  const kept = Array.isArray(value) ? [...new Set(value.filter((item) => typeof item === 'string'))] : []
  return kept.length === 0 ? undefined : kept
}

/** Keywords that hold no schemas; those that neither these nor the converter know are left out. */
export const plainKeywords: ReadonlyMap<string, KeywordRule> = new Map<string, KeywordRule>([
  ['type', keepTypes],
  ['enum', keepEnum],
  ['const', (value) => (value !== undefined && isSmallData(value) ? value : undefined)],
  ['format', (value) => (typeof value === 'string' && value.length <= 64 ? value : undefined)],
  ['pattern', (value) => (typeof value === 'string' && isSafePattern(value) ? value : undefined)],
  ['minimum', number],
  ['maximum', number],
  ['exclusiveMinimum', number],
  ['exclusiveMaximum', number],
  ['multipleOf', (value) => (typeof value === 'number' && value > 0 ? number(value) : undefined)],
  ['minLength', count],
  ['maxLength', count],
  ['minItems', count],
  ['maxItems', count],
  ['uniqueItems', boolean],
  ['minProperties', count],
  ['maxProperties', count],
  ['required', names],
  ['minContains', count],
  ['maxContains', count],
  ['dependentRequired', keepDependentRequired],
  ['contentEncoding', (value) => (typeof value === 'string' && value.length <= 64 ? value : undefined)],
  ['contentMediaType', (value) => (typeof value === 'string' && value.length <= 100 ? value : undefined)],
  ['deprecated', (value) => (value === true ? true : undefined)],
  ['default', data],
  ['examples', (value) => (Array.isArray(value) ? data(value.slice(0, 3)) : undefined)],
])

/** `file` is what Swagger 2.0 called a text of bytes; others that are no types say nothing. */
function keepTypes(value: unknown): unknown {
  const given = Array.isArray(value) ? value : [value]
  const known = [...new Set(given.map((type) => (type === 'file' ? 'string' : type)))].filter((type) =>
    types.has(type),
  )
  // A list with one unknown type allows that one too, whatever it is.
  if (known.length === 0 || known.length < new Set(given).size) return undefined
  return Array.isArray(value) && known.length > 1 ? known : known[0]
}

function keepEnum(value: unknown): unknown {
  if (!Array.isArray(value) || value.length === 0 || value.length > enumItemsMax) return undefined
  const byText = new Map(value.map((item) => [JSON.stringify(item) ?? 'null', item]))
  return [...byText.values()].every(isSmallData) ? [...byText.values()] : undefined
}

function keepDependentRequired(value: unknown): unknown {
  if (!isObject(value)) return undefined
  const kept = Object.entries(value).filter(([, needed]) => names(needed) !== undefined)
  return Object.fromEntries(kept.map(([name, needed]) => [name, names(needed)]))
}

/** Whether a value is worth its place in a schema, and nests no deeper than schemas may. */
function isSmallData(value: unknown): boolean {
  const text = JSON.stringify(value)
  return text !== undefined && text.length <= dataCharsMax && depthOf(value) <= dataDepthMax
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

/** Looking around and back takes more than linear time (S17), large counts make large programs; the API checks such itself. */
export function isSafePattern(source: string): boolean {
  if (source.length > 300 || /\(\?<?[=!]|\\[1-9]|\\k</.test(source)) return false
  if (
    [...source.matchAll(/\{(\d+)?(?:,(\d*))?\}/g)].some(([, least, most]) => Number(most || least || 0) > 100)
  )
    return false
  try {
    new RegExp(source, 'u')
    return true
  } catch {
    return false
  }
}
