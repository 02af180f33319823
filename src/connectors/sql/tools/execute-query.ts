import { z } from 'zod'
import type { Tool } from '../../../core/tool.ts'
import type { Cursors } from '../cursors.ts'
import type { Databases } from '../databases.ts'
import { databaseField, parametersField, readQueryField, resultBytesMax } from './fields.ts'
import { pageFields } from './page-fields.ts'
import { expectedSchemaField, qualityValidationField, type ResultCheck } from './result-check.ts'

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
      'Whether the rows that do not fit this answer are kept for fetch_rows: the answer then has a next_cursor. expected_schema holds every page.',
    ),
})

const output = z.strictObject(pageFields)

type Input = z.input<typeof input>

/** D0-012, D1-017. It reads on every database, writable ones too: cache and retry rely on its effect. */
export function createExecuteQuery(databases: Databases, cursors: Cursors, check: ResultCheck): Tool<Input> {
  return {
    kind: 'tool',
    name: 'execute_query',
    title: 'Query a database',
    description: 'Runs one SQL statement that only reads and answers with its rows.',
    effect: 'read',
    input,
    output,
    async run(call, context) {
      const { query, parameters, database: alias } = call
      const database = databases.get(alias)
      const statement = { query, parameters }
      const holdTo = check.prepare(call.expected_schema, call.quality_validation)
      if (call.with_cursor === true) {
        const page = await cursors.open({ alias, database, statement, holdTo }, resultBytesMax, context)
        return { structuredContent: { ...page, database: alias } }
      }
      const rowSet = await database.read(statement, resultBytesMax, context)
      const quality = holdTo?.(rowSet.rows) ?? null
      return { structuredContent: { ...rowSet, database: alias, quality_validation: quality } }
    },
  }
}
