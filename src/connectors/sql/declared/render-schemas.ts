import { z } from 'zod'
import { type JsonSchema, toJsonSchema } from '../../../core/schema.ts'
import { columnsField, countField, databaseField, rowsField, truncatedField } from '../tools/fields.ts'
import { pageFields } from '../tools/page-fields.ts'
import type { DeclaredParameter, DeclaredTool, ScalarType } from './declared-config.ts'

const itemsMax = 1000

const { next_cursor: _cursor, quality_validation: _quality, ...readFields } = pageFields
const rowsAnswer = z.strictObject(readFields)
const oneAnswer = z.strictObject({
  success: z.literal(true).describe('Always true: what fails is an error.'),
  data: z.record(z.string(), z.unknown()).describe('The row, column by column.'),
})
const writeAnswer = z.strictObject({
  rowcount: z.int().optional().describe('How many rows it changed, where it answers with none.'),
  last_insert_id: z
    .union([z.int(), z.string()])
    .optional()
    .describe('The id of the last row it inserted, where the database tells.'),
  rows: rowsField.optional(),
  columns: columnsField.optional(),
  count: countField.optional(),
  truncated: truncatedField.optional(),
  database: databaseField,
})

/** What callers of a declared tool give: one property a parameter, and nothing else. */
export function renderInput({ parameters }: DeclaredTool): JsonSchema {
  const entries = Object.entries(parameters)
  const required = entries.filter(([, each]) => isRequired(each)).map(([name]) => name)
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, each]) => [name, renderParameter(each)])),
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
  }
}

/** What a declared tool answers, its rows as `output` has them. */
export function renderOutput({ result, effect, output }: DeclaredTool): JsonSchema {
  const answer = toJsonSchema(
    result === 'one' ? oneAnswer : effect === 'read' ? rowsAnswer : writeAnswer,
  ) as JsonSchema & { readonly properties: Readonly<Record<string, JsonSchema>> }
  if (output === undefined) return answer
  const { rows, data } = answer.properties
  const held =
    result === 'one'
      ? { data: { description: data!['description'], ...output } }
      : { rows: { ...rows, items: output } }
  return { ...answer, properties: { ...answer.properties, ...held } }
}

function isRequired({ required, default: fallback }: DeclaredParameter): boolean {
  return required ?? fallback === undefined
}

/** One parameter; a list holds at most a thousand values unless it says otherwise. */
export function renderParameter(parameter: DeclaredParameter): JsonSchema {
  const { type, items = 'string', required: _required, maxItems = itemsMax, ...rest } = parameter
  if (type === 'json') return rest
  if (type === 'array') return { type, items: renderScalar(items), maxItems, ...rest }
  return { ...renderScalar(type), ...rest }
}

function renderScalar(type: ScalarType): JsonSchema {
  if (type === 'datetime') return { type: 'string', format: 'date-time' }
  if (type === 'bytes') return { type: 'string', contentEncoding: 'base64' }
  return { type }
}
