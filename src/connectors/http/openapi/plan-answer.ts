import { isObject } from '../../../core/parse-json.ts'
import type { JsonSchema } from '../../../core/schema.ts'
import { assembleSchema } from './assemble-schema.ts'
import type { Node } from './parse-document.ts'
import type { SchemaShelf } from './schema-shelf.ts'

const bytesMax = 128 * 1024

/** What a successful answer must look like, as the document has it; undefined where it does not say, or at great length. */
export function planAnswer(operation: Node, shelf: SchemaShelf): JsonSchema | undefined {
  const schema = findSchema(operation, shelf)
  if (schema === undefined) return undefined
  const data = assembleSchema((keepsTexts) => shelf.convert(schema, 'answer', keepsTexts), 'answer', shelf, {
    bytesMax,
  })
  if (data === undefined) return undefined
  const { $defs, ...said } = data.schema
  return {
    type: 'object',
    properties: {
      status_code: { type: 'integer' },
      headers: { type: 'object' },
      data: {},
      success: { type: 'boolean' },
    },
    required: ['status_code', 'headers', 'data', 'success'],
    // Of answers that say that something went wrong the document seldom tells the truth.
    if: { properties: { success: { const: true } } },
    // biome-ignore lint/suspicious/noThenProperty: it is a keyword of JSON Schema.
    then: { properties: { data: said } },
    ...($defs === undefined ? {} : { $defs }),
  }
}

/** Of the only kind of success there is; where there are several, an answer may be any of them. */
function findSchema(operation: Node, { document }: SchemaShelf): unknown {
  const responses = isObject(operation['responses']) ? operation['responses'] : {}
  const codes = Object.keys(responses).filter((code) => /^2(\d\d|XX)$/i.test(code))
  const [code] = codes
  if (code === undefined || codes.length > 1) return undefined
  try {
    const { content } = document.follow(responses[code])
    const media = Object.entries(isObject(content) ? content : {}).find(([type]) =>
      /[/+]json\b/i.test(type),
    )?.[1]
    return isObject(media) ? media['schema'] : undefined
  } catch {
    return undefined
  }
}
