import { z } from 'zod'
import { WeirError } from '../../../core/error.ts'
import { type JsonSchema, jsonSchema, type Schema } from '../../../core/schema.ts'
import type { RunContext, Tool } from '../../../core/tool.ts'
import type { Databases } from '../databases.ts'
import type { ChangeCount, Parameter, RowSet } from '../dialect.ts'
import {
  columnsField,
  countField,
  databaseField,
  resultBytesMax,
  rowsField,
  truncatedField,
} from '../tools/fields.ts'
import { pageFields } from '../tools/page-fields.ts'
import { transactAgain } from '../tools/transact-again.ts'
import type { DeclaredParameter, DeclaredTool } from './declared-config.ts'

type Input = Readonly<Record<string, unknown>>

const { next_cursor: _, ...readFields } = pageFields
const rowsOutput = z.strictObject(readFields)
const oneOutput = z.strictObject({
  success: z.literal(true).describe('Always true: what fails is an error.'),
  data: z.record(z.string(), z.unknown()).describe('The row, column by column.'),
})
const writeOutput = z.strictObject({
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

/**
 * A statement of the operator's as a typed tool. Its text never changes: what callers give is bound by the database's own
 * driver, so no value can become SQL.
 */
export function createDeclaredTool(name: string, tool: DeclaredTool, databases: Databases): Tool<Input> {
  const parameters = Object.entries(tool.parameters)
  const bind = (input: Input) => parameters.map(([key, parameter]) => toParameter(input[key], parameter))
  const isRead = tool.effect === 'read'
  const run = isRead ? runRead : runWrite
  return {
    kind: 'tool',
    name,
    ...(tool.title === undefined ? {} : { title: tool.title }),
    description: tool.description,
    effect: tool.effect,
    input: createInput(parameters),
    output: tool.result === 'one' ? oneOutput : isRead ? rowsOutput : writeOutput,
    async run(input, context) {
      const answer = await run(databases, tool, bind(input), context)
      if (tool.result === 'rows') return { structuredContent: { ...answer, database: tool.database } }
      return { structuredContent: { success: true, data: takeOne(name, tool, answer) } }
    },
  }
}

type Answer = RowSet | Omit<RowSet, 'execution_time_ms'> | ChangeCount

function runRead(
  databases: Databases,
  tool: DeclaredTool,
  parameters: readonly Parameter[],
  context: RunContext,
): Promise<Answer> {
  return databases.get(tool.database).read({ query: tool.statement, parameters }, resultBytesMax, context)
}

async function runWrite(
  databases: Databases,
  tool: DeclaredTool,
  parameters: readonly Parameter[],
  context: RunContext,
): Promise<Answer> {
  const statements = [{ query: tool.statement, parameters }]
  const options = { bytesMax: resultBytesMax }
  const { result } = await transactAgain(databases.get(tool.database), statements, options, context)
  return result.results[0]!
}

/** B-70: a row that is not there is an error, and no success with nothing in it. A write has happened, so its first row stands. */
function takeOne(name: string, { effect }: DeclaredTool, answer: Answer): Readonly<Record<string, unknown>> {
  if (!('rows' in answer)) {
    if (answer.rowcount > 0) return { ...answer }
    throw notFound(name)
  }
  const [first] = answer.rows
  if (first === undefined) throw notFound(name)
  if (effect === 'read' && answer.rows.length > 1) {
    throw new WeirError('INVALID_OUTPUT', `${name} found more than one row, and is declared to find one.`, {
      hint: 'Ask the operator to correct its statement.',
    })
  }
  return first
}

function notFound(name: string): WeirError {
  return new WeirError('ROW_NOT_FOUND', `${name} found no row for these arguments.`, {
    hint: 'Check the arguments; nothing was changed.',
  })
}

function createInput(parameters: readonly (readonly [string, DeclaredParameter])[]): Schema<Input> {
  const required = parameters.filter(([, each]) => isRequired(each)).map(([name]) => name)
  return jsonSchema<Input>({
    type: 'object',
    properties: Object.fromEntries(parameters.map(([name, each]) => [name, renderParameter(each)])),
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
  })
}

function isRequired({ required, default: fallback }: DeclaredParameter): boolean {
  return required ?? fallback === undefined
}

function renderParameter(parameter: DeclaredParameter): JsonSchema {
  const { type, required: _required, ...rest } = parameter
  switch (type) {
    case 'json':
      return rest
    case 'datetime':
      return { type: 'string', format: 'date-time', ...rest }
    case 'bytes':
      return { type: 'string', contentEncoding: 'base64', ...rest }
    default:
      return { type, ...rest }
  }
}

function toParameter(given: unknown, { type, default: fallback = null }: DeclaredParameter): Parameter {
  const value = given === undefined ? fallback : given
  if (value === null) return null
  switch (type) {
    case 'datetime':
      return { $datetime: String(value) }
    case 'bytes':
      return { $bytes: String(value) }
    case 'json':
      return { $json: value }
    default:
      return value as Parameter
  }
}
