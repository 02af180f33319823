import { z } from 'zod'
import type { Tool } from '../../../core/tool.ts'
import type { Databases } from '../databases.ts'
import { isolationLevels } from '../dialect.ts'
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
import { transactAgain } from './transact-again.ts'

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
  isolation_level: z
    .enum(isolationLevels)
    .optional()
    .describe(
      'How far the transaction is kept apart from others that run at the same time. Default: what its operator or the database itself has. SQLite’s are always SERIALIZABLE.',
    ),
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
  attempts: z
    .int()
    .optional()
    .describe('How often it was run, where it collided with other transactions before it succeeded.'),
  database: databaseField,
})

/** D0-013, D1-018, B-04, B-34. Destructive, because it takes any statement. */
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
    async run({ queries, database: name, isolation_level: asked }, context) {
      const database = databases.get(name)
      const options = { bytesMax: resultBytesMax, isolation: asked ?? databases.isolationOf(name) }
      const { result, attempts } = await transactAgain(database, queries, options, context)
      return { structuredContent: { ...result, ...(attempts > 1 ? { attempts } : {}), database: name } }
    },
  }
}
