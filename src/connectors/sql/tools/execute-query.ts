import { z } from 'zod'
import type { RunContext, Tool } from '../../../core/tool.ts'
import type { Cursors } from '../cursors.ts'
import type { Databases } from '../databases.ts'
import { databaseField, parametersField, readQueryField, resultBytesMax } from './fields.ts'
import { pageFields } from './page-fields.ts'
import {
  expectedSchemaField,
  qualityField,
  qualityValidationField,
  type ResultCheck,
} from './result-check.ts'

const input = z.strictObject({
  query: readQueryField,
  parameters: parametersField,
  database: databaseField,
  quality_validation: qualityValidationField,
  expected_schema: expectedSchemaField,
  with_cursor: z
    .boolean()
    .default(false)
    .describe(
      'Whether the rows that do not fit this answer are kept for fetch_rows: the answer then has a next_cursor.',
    ),
})

const output = z.strictObject({ ...pageFields, quality_validation: qualityField })

type Input = z.input<typeof input>

/** D0-012, D1-017. It reads on every database, writable ones too: cache and retry rely on its effect. */
export function createExecuteQuery(databases: Databases, cursors: Cursors, check: ResultCheck): Tool<Input> {
  const run = (call: Input, context: RunContext) => {
    const { query, parameters, database: name, with_cursor: isKept = false } = call
    const database = databases.get(name)
    const statement = { query, parameters }
    return isKept
      ? cursors.open(name, database, statement, resultBytesMax, context)
      : database.read(statement, resultBytesMax, context)
  }
  return {
    kind: 'tool',
    name: 'execute_query',
    title: 'Query a database',
    description: 'Runs one SQL statement that only reads and answers with its rows.',
    effect: 'read',
    input,
    output,
    async run(call, context) {
      const holdTo = check.prepare(call.expected_schema, call.quality_validation)
      const page = await run(call, context)
      const quality = holdTo?.(page.rows) ?? null
      return { structuredContent: { ...page, database: call.database, quality_validation: quality } }
    },
  }
}
