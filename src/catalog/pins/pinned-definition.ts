import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { canonicalJson } from '../../core/canonical-json.ts'
import { showHidden } from '../../core/hidden-text.ts'
import { isObject } from '../../core/parse-json.ts'
import { type Schema, toJsonSchema } from '../../core/schema.ts'
import type { Target } from '../../core/tool.ts'

/** What is pinned of a target: all that clients and models are shown of it. */
export interface PinnedDefinition {
  readonly kind: string
  readonly name: string
  /** SHA-256 of the text, base64url. */
  readonly hash: string
  /** Canonical JSON: keys sorted. */
  readonly text: string
}

const known = new WeakMap<Target, PinnedDefinition>()

/**
 * The definition of a cleaned target that an upstream calls `upstreamName`; undefined for targets of our own, which no
 * upstream can change.
 */
export function readPinnedDefinition(target: Target, upstreamName: string): PinnedDefinition | undefined {
  if (target.definition === undefined) return undefined
  let pinned = known.get(target)
  if (pinned === undefined) {
    const { kind, name } = target
    const text = canonicalJson(describe(target, upstreamName))
    pinned = { kind, name, text, hash: createHash('sha256').update(text).digest('base64url') }
    known.set(target, pinned)
  }
  return pinned
}

/** Most of it is the upstream's own words; what is derived from them is said only where it differs. */
function describe(target: Target, upstreamName: string): Record<string, unknown> {
  const { name, title, description, definition = {} } = target
  const described: Record<string, unknown> = { definition: withoutFacts(target.kind, definition) }
  if (upstreamName !== name) described['calls'] = showHidden(upstreamName)
  if (title !== undefined && title !== definition['title']) described['title'] = title
  if (description !== (definition['description'] ?? '')) described['description'] = description
  addSchema(described, 'input', target.input, definition['inputSchema'])
  if (target.output !== undefined) addSchema(described, 'output', target.output, definition['outputSchema'])
  return described
}

function addSchema(described: Record<string, unknown>, field: string, schema: Schema, said: unknown): void {
  const document = toJsonSchema(schema)
  if (document !== said && !isDeepStrictEqual(document, said)) described[field] = document
}

/** How large a resource is and when it last changed is told anew with every change of what it holds. */
function withoutFacts(kind: string, definition: Readonly<Record<string, unknown>>): unknown {
  if (kind !== 'resource') return definition
  const { size: _size, annotations, ...rest } = definition
  if (!isObject(annotations)) return annotations === undefined ? rest : { ...rest, annotations }
  const { lastModified: _when, ...kept } = annotations
  return { ...rest, annotations: kept }
}
