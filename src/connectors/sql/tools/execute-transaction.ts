import { z } from 'zod'
import type { Tool } from '../../../core/tool.ts'
import type { Databases } from '../databases.ts'
import {
  columnsField,
  countField,
  databaseField,
  executionTimeField,
  parametersField,
  resultBytesMax,
  rowsField,
  truncatedField,
} from './fields.ts'

const input = z.strictObject({
  queries: z
    .array(
      z.strictObject({
        query: z
          .string()
          .min(1)
          .max(20_000)
          .describe('One SQL statement, with $1, $2, … or ? in place of values.'),
        parameters: parametersField,
      }),
    )
    .min(1)
    .max(100)
    .describe('The statements, run in this order.'),
  database: databaseField,
})

const output = z.strictObject({
  results: z
    .array(
      z.union([
        z.strictObject({
          rows: rowsField,
          columns: columnsField,
          count: countField,
          truncated: truncatedField,
        }),
        z.strictObject({
          rowcount: z.int().describe('How many rows the statement changed.'),
          last_insert_id: z
            .union([z.int(), z.string()])
            .optional()
            .describe('The row id of the last row inserted; a decimal string beyond 2^53.'),
        }),
      ]),
    )
    .describe(
      'One result per statement, in order: its rows if it has columns, else how many rows it changed.',
    ),
  execution_time_ms: executionTimeField,
  database: databaseField,
})

/** D0-013, B-04. Destructive, because it takes any statement. */
export function createExecuteTransaction(databases: Databases): Tool<z.input<typeof input>> {
  return {
    kind: 'tool',
    name: 'execute_transaction',
    title: 'Change a database',
    description:
      'Runs SQL statements in order as one transaction: all of them take effect, or none. Leave out BEGIN, COMMIT and ROLLBACK.',
    effect: 'destructive',
    input,
    output,
    async run({ queries, database }, context) {
      const result = await databases.get(database).transact(queries, { bytesMax: resultBytesMax }, context)
      return { structuredContent: { ...result, database } }
    },
  }
}
