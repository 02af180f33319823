import { z } from 'zod'
import type { Tool } from '../../../core/tool.ts'
import type { Databases } from '../databases.ts'
import { databaseField } from './fields.ts'

const input = z.strictObject({
  database: databaseField,
  table_name: z.string().min(1).max(256).optional().describe('One table or view; without it, all of them.'),
})

const column = z.strictObject({
  name: z.string().describe('The column’s name.'),
  type: z.string().describe('Its declared type; empty where none was declared.'),
  nullable: z.boolean().describe('Whether it may be null.'),
  default: z.string().optional().describe('The SQL text of its default.'),
  primary_key: z.boolean().describe('Whether it is part of the primary key.'),
  comment: z.string().optional().describe('What its owner wrote about it.'),
})

const foreignKey = z.strictObject({
  columns: z.array(z.string()).describe('The columns that refer.'),
  references_table: z.string().describe('The table referred to.'),
  references_columns: z.array(z.string()).describe('The columns referred to; empty: its primary key.'),
  on_update: z.string().describe('What an update there does here.'),
  on_delete: z.string().describe('What a deletion there does here.'),
})

const index = z.strictObject({
  name: z.string().describe('The index’s name.'),
  unique: z.boolean().describe('Whether it forbids repeated values.'),
  columns: z.array(z.string().nullable()).describe('Its columns in order; null for an expression.'),
})

const table = z.strictObject({
  name: z.string().describe('The table’s name.'),
  type: z.enum(['table', 'view', 'virtual']).describe('What it is; virtual: a full-text or R-tree table.'),
  columns: z.array(column).describe('Its columns in order.'),
  foreign_keys: z.array(foreignKey).describe('Its references to other tables.'),
  indexes: z.array(index).describe('Its indexes.'),
  rows_estimate: z
    .int()
    .optional()
    .describe('About how many rows it holds; absent where a cheap look cannot tell.'),
  comment: z.string().optional().describe('What its owner wrote about it.'),
  problem: z
    .string()
    .optional()
    .describe('Why it cannot be queried, such as a view of a table that is gone; absent where it can.'),
})

const output = z.strictObject({
  tables: z.array(table).describe('Tables and views by name.'),
  truncated: z.boolean().describe('True where there are more: 500 tables, or 4 MiB of answer, are the most.'),
  database: databaseField,
})

/** D0-014. */
export function createGetSchema(databases: Databases): Tool<z.input<typeof input>> {
  return {
    kind: 'tool',
    name: 'get_schema',
    title: 'Describe a database',
    description: 'Lists tables and views with their columns, keys and indexes, for one table or for all.',
    effect: 'read',
    input,
    output,
    async run({ database, table_name: tableName }, context) {
      const schema = await databases.get(database).describe(tableName, context)
      return { structuredContent: { ...schema, database } }
    },
  }
}
