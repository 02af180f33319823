import { WeirError } from '../../../core/error.ts'
import type { SchemaDescription, TableDescription } from '../dialect.ts'

/** The most tables one answer describes. */
export const tablesMax = 500

/** More would hold up every other call while it is parsed. */
const charsMax = 4 * 1024 * 1024

/** Describes tables until one of the bounds is reached (D0-014); `list` holds one more than the most where there are more. */
export function buildSchema<T>(
  list: readonly T[],
  describe: (entry: T) => TableDescription,
): SchemaDescription {
  const tables: TableDescription[] = []
  let chars = 0
  for (const entry of list) {
    if (tables.length === tablesMax) return { tables, truncated: true }
    const table = describe(entry)
    chars += JSON.stringify(table).length
    if (chars > charsMax && tables.length > 0) return { tables, truncated: true }
    tables.push(table)
  }
  return { tables, truncated: false }
}

/** Throws INVALID_INPUT for a table that was named and is not there. */
export function noSuchTable(alias: string, tableName: string): WeirError {
  return new WeirError(
    'INVALID_INPUT',
    `Database ${alias} has no table or view ${JSON.stringify(tableName)}.`,
    {
      hint: 'Call get_schema without table_name to see them all.',
    },
  )
}
