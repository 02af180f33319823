import { z } from 'zod'
import type { Tool } from '../../../core/tool.ts'
import type { Databases } from '../databases.ts'
import {
  columnsField,
  countField,
  databaseField,
  executionTimeField,
  parametersField,
  readQueryField,
  resultBytesMax,
  rowsField,
  truncatedField,
} from './fields.ts'

const input = z.strictObject({
  query: readQueryField,
  parameters: parametersField,
  database: databaseField,
})

const output = z.strictObject({
  rows: rowsField,
  columns: columnsField,
  count: countField,
  truncated: truncatedField,
  execution_time_ms: executionTimeField,
  database: databaseField,
})

/** D0-012, D1-017. It reads on every database, writable ones too: cache and retry rely on its effect. */
export function createExecuteQuery(databases: Databases): Tool<z.input<typeof input>> {
  return {
    kind: 'tool',
    name: 'execute_query',
    title: 'Query a database',
    description: 'Runs one SQL statement that only reads and answers with its rows.',
    effect: 'read',
    input,
    output,
    async run({ query, parameters, database }, context) {
      const rowSet = await databases.get(database).read({ query, parameters }, resultBytesMax, context)
      return { structuredContent: { ...rowSet, database } }
    },
  }
}
