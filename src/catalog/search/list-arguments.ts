import { isObject } from '../../core/parse-json.ts'
import type { JsonSchema } from '../../core/schema.ts'

/** An argument, or a field inside one. */
export interface ArgumentText {
  readonly name: string
  readonly description: string
}

const depthMax = 4
const argumentsMax = 200

/** What a schema calls its fields and says of them, those inside fields and alternatives too; at most 200. */
export function listArguments(schema: JsonSchema): readonly ArgumentText[] {
  const found: ArgumentText[] = []
  visit(schema, 0, found)
  return found
}

function visit(schema: unknown, depth: number, found: ArgumentText[]): void {
  if (!isObject(schema) || depth > depthMax) return
  const { properties, items, anyOf, oneOf, allOf } = schema
  for (const [name, property] of Object.entries(isObject(properties) ? properties : {})) {
    if (found.length >= argumentsMax) return
    const description = isObject(property) ? property['description'] : undefined
    found.push({ name, description: typeof description === 'string' ? description : '' })
    visit(property, depth + 1, found)
  }
  visit(items, depth + 1, found)
  for (const branch of [anyOf, oneOf, allOf].flat()) visit(branch, depth + 1, found)
}
