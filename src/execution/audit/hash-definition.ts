import { createHash } from 'node:crypto'
import { canonicalJson } from '../../core/canonical-json.ts'
import { toJsonSchema } from '../../core/schema.ts'
import type { Target } from '../../core/tool.ts'

/** SHA-256 of everything that a target says of itself, base64url: which version of a tool it was that ran. Not cheap. */
export function hashDefinition(target: Target): string {
  const { kind, name, title, description, effect, definition, input, output } = target
  const schemas = {
    input: toJsonSchema(input),
    output: output === undefined ? undefined : toJsonSchema(output),
  }
  const text = canonicalJson({ kind, name, title, description, effect, definition, ...schemas })
  return createHash('sha256').update(text).digest('base64url')
}
