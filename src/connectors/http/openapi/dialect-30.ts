import type { Node } from './parse-document.ts'

type Schema = Record<string, unknown>

const limitKeywords = [
  ['minimum', 'exclusiveMinimum'],
  ['maximum', 'exclusiveMaximum'],
] as const

/** In OpenAPI 3.0 an exclusive limit is a limit and a flag beside it. */
export function settleLimits(node: Node): Node {
  let settled: Schema | undefined
  for (const [limit, exclusive] of limitKeywords) {
    if (typeof node[exclusive] !== 'boolean') continue
    settled ??= { ...node }
    delete settled[exclusive]
    if (node[exclusive] !== true) continue
    settled[exclusive] = node[limit]
    delete settled[limit]
  }
  return settled ?? node
}

/** The same schema, which allows null too. */
export function relaxNullable(schema: Schema): Schema {
  const { type, enum: allowed, description, ...rest } = schema
  const isPlain =
    typeof type === 'string' && !('allOf' in rest || 'anyOf' in rest || '$ref' in rest || 'const' in rest)
  if (isPlain) {
    const withNull = Array.isArray(allowed) && !allowed.includes(null) ? { enum: [...allowed, null] } : {}
    return { ...schema, type: [type, 'null'], ...withNull }
  }
  if (Object.keys(schema).every((keyword) => keyword === 'description')) return schema
  const { description: _, ...own } = schema
  return { ...(description === undefined ? {} : { description }), anyOf: [own, { type: 'null' }] }
}

/** Of an enumeration that does not fit its own type nothing would ever fit; the type is the better half. */
export function settleEnum(schema: Schema): void {
  const { type, enum: allowed } = schema
  if (typeof type !== 'string' || !Array.isArray(allowed)) return
  const fitting = allowed.filter((value) => value === null || fitsType(value, type))
  if (fitting.some((value) => value !== null)) return
  delete schema['enum']
}

function fitsType(value: unknown, type: string): boolean {
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return typeof value === 'object' && !Array.isArray(value)
  return typeof value === type
}
