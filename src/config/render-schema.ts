import { z } from 'zod'
import type { AnyConnector } from '../core/connector.ts'
import { type JsonSchema, toJsonSchema } from '../core/schema.ts'
import { fileSchema, sharedConnectionFields } from './config.ts'
import { isRecord } from './path.ts'

const reference = {
  type: 'string',
  pattern: '\\$\\{',
  description: 'A reference: `${VAR}`, `${VAR:-default}` or `${file:path}`.',
}

/**
 * The JSON Schema (draft 2020-12) of the whole file, for editors: `connections` by their `type`, a
 * description on every field, and `${…}` accepted where a number, a boolean or a listed word stands.
 */
export function renderConfigSchema(connectors: readonly AnyConnector[]): JsonSchema {
  const file = openToReferences(toJsonSchema(fileSchema)) as Record<string, unknown>
  const properties = file['properties'] as Record<string, Record<string, unknown>>
  const definitions: Record<string, unknown> = {}
  for (const connector of connectors) Object.assign(definitions, renderConnector(connector))
  const oneOf = connectors.map(({ type }) => ({ $ref: `#/$defs/${definitionName(type)}` }))
  const connections = { ...properties['connections'], additionalProperties: { oneOf } }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'weir.yaml',
    description: 'The configuration of Weir, an MCP integration gateway.',
    ...file,
    properties: { ...properties, connections },
    $defs: definitions,
  }
}

function definitionName(type: string): string {
  return `connection-${type}`
}

/** The connector's own schema with its `type`, and its definitions beside it under names of their own. */
function renderConnector(connector: AnyConnector): Record<string, unknown> {
  const name = definitionName(connector.type)
  const moved = moveReferences(toJsonSchema(connector.config), name) as Record<string, unknown>
  const { $defs, $schema: _, ...schema } = openToReferences(moved) as Record<string, unknown>
  const own = Object.entries($defs ?? {}).map(([key, definition]) => [`${name}-${key}`, definition])
  const description = schema['description'] ?? connector.summary
  const typed = { ...withType(schema, connector), description }
  return { [name]: typed, ...Object.fromEntries(own) }
}

/** `type`, and what all connections share, join the listed properties, in every alternative: an object that is closed knows no others. */
function withType(schema: Record<string, unknown>, connector: AnyConnector): Record<string, unknown> {
  for (const keyword of ['anyOf', 'oneOf']) {
    const branches = schema[keyword]
    if (!Array.isArray(branches)) continue
    return { ...schema, [keyword]: branches.map((branch) => withType(branch, connector)) }
  }
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  const type = { const: connector.type, description: connector.summary }
  const listed = isRecord(schema['properties']) ? schema['properties'] : {}
  return {
    ...schema,
    properties: { type, ...sharedFields(), ...listed },
    required: ['type', ...required],
  }
}

function sharedFields(): Record<string, unknown> {
  const shared = openToReferences(toJsonSchema(z.object(sharedConnectionFields))) as Record<string, unknown>
  return shared['properties'] as Record<string, unknown>
}

/** References of a schema that was a document of its own, now under `$defs/{name}`. */
function moveReferences(schema: unknown, name: string): unknown {
  return mapDeep(schema, (node) => {
    const target = node['$ref']
    if (typeof target !== 'string' || !target.startsWith('#')) return node
    const moved = target.startsWith('#/$defs/') ? `${name}-${target.slice('#/$defs/'.length)}` : name
    return { ...node, $ref: `#/$defs/${moved}` }
  })
}

/** Wherever a string would not do, or only certain ones, a reference does too; unlisted keys are closed as the loader has it. */
function openToReferences(schema: unknown): unknown {
  return mapDeep(schema, (node) => {
    const isClosed = isRecord(node['properties']) && !('additionalProperties' in node)
    if (isClosed) return { ...node, additionalProperties: false }
    if (!refusesReferences(node)) return node
    const { description, default: fallback, ...bare } = node
    const kept = {
      ...(description === undefined ? {} : { description }),
      ...(fallback === undefined ? {} : { default: fallback }),
    }
    return { ...kept, anyOf: [bare, reference] }
  })
}

function refusesReferences(node: Record<string, unknown>): boolean {
  const types = [node['type']].flat()
  const isConstrained = ['enum', 'pattern', 'format', 'minLength', 'maxLength'].some(
    (keyword) => keyword in node,
  )
  if (types.includes('string')) return isConstrained
  return types.some((type) => type === 'number' || type === 'integer' || type === 'boolean')
}

// Keywords that hold values or names rather than schemas.
const opaque = new Set(['default', 'const', 'enum', 'examples', 'required', 'propertyNames'])
const maps = new Set(['properties', '$defs', 'patternProperties'])

/** Rebuilds a schema from the inside out, handing every schema in it, and nothing else, to `change`. */
function mapDeep(schema: unknown, change: (node: Record<string, unknown>) => unknown): unknown {
  if (Array.isArray(schema)) return schema.map((item) => mapDeep(item, change))
  if (!isRecord(schema)) return schema
  const rebuilt = Object.entries(schema).map(([keyword, value]) => {
    if (opaque.has(keyword)) return [keyword, value]
    if (!maps.has(keyword) || !isRecord(value)) return [keyword, mapDeep(value, change)]
    return [
      keyword,
      Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapDeep(item, change)])),
    ]
  })
  return change(Object.fromEntries(rebuilt))
}
