import { createHash } from 'node:crypto'
import { canonicalJson } from '../../core/canonical-json.ts'
import { type JsonSchema, type Schema, toJsonSchema } from '../../core/schema.ts'
import type { Target } from '../../core/tool.ts'

/** SHA-256 of everything that a target says of itself, base64url: which version of a tool it was that ran. Not cheap. */
export function hashDefinition(target: Target): string {
  const { kind, name, title, description, effect, definition } = target
  const schemas = { input: spell(target.input), output: spell(target.output) }
  const text = canonicalJson({ kind, name, title, description, effect, definition, ...schemas })
  return createHash('sha256').update(text).digest('base64url')
}

/** A schema that cannot say itself keeps its tool from running, and nothing from being noted down. */
function spell(schema: Schema | undefined): JsonSchema | undefined {
  if (schema === undefined) return undefined
  try {
    return toJsonSchema(schema)
  } catch {
    return undefined
  }
}
