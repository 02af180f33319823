import type { DatabaseSync } from 'node:sqlite'
import { WeirError } from '../../../core/error.ts'
import type {
  ColumnDescription,
  ForeignKeyDescription,
  IndexDescription,
  SchemaDescription,
  TableDescription,
} from '../dialect.ts'

const tablesMax = 500
const rowsCountedMax = 1000
/** More would hold up every other call while it is parsed. */
const charsMax = 4 * 1024 * 1024
/** SQLite's code for what a schema itself is wrong about; what befalls the file has others. */
const sqliteError = 1

type Row = Readonly<Record<string, string | number | null>>

/** Every table and view of the file, or the one named; its own bookkeeping tables left out (D0-014). */
export function describeSchema(
  database: DatabaseSync,
  alias: string,
  tableName: string | undefined,
): SchemaDescription {
  const list = database
    .prepare(
      `select name, type from pragma_table_list
       where schema = 'main' and type <> 'shadow' and name not like 'sqlite\\_%' escape '\\'
         and ($1 is null or name = $1 collate nocase)
       order by name limit ${tablesMax + 1}`,
    )
    .all({ $1: tableName ?? null }) as unknown as { name: string; type: TableDescription['type'] }[]
  if (list.length === 0 && tableName !== undefined) {
    throw new WeirError(
      'INVALID_INPUT',
      `Database ${alias} has no table or view ${JSON.stringify(tableName)}.`,
      {
        hint: 'Call get_schema without table_name to see them all.',
      },
    )
  }
  const tables: TableDescription[] = []
  let chars = 0
  for (const { name, type } of list) {
    const table = tables.length < tablesMax ? describeOne(database, name, type) : undefined
    chars += JSON.stringify(table)?.length ?? 0
    if (table === undefined || (chars > charsMax && tables.length > 0)) return { tables, truncated: true }
    tables.push(table)
  }
  return { tables, truncated: false }
}

/** A view of a table that is gone, or a missing module, says so itself and leaves the others their descriptions. */
function describeOne(database: DatabaseSync, name: string, type: TableDescription['type']): TableDescription {
  try {
    return describeTable(database, name, type)
  } catch (thrown) {
    if ((thrown as { errcode?: unknown }).errcode !== sqliteError) throw thrown
    return { name, type, columns: [], foreign_keys: [], indexes: [], problem: (thrown as Error).message }
  }
}

function describeTable(
  database: DatabaseSync,
  name: string,
  type: TableDescription['type'],
): TableDescription {
  const estimate = type === 'table' ? estimateRows(database, name) : undefined
  return {
    name,
    type,
    columns: describeColumns(database, name),
    foreign_keys: describeForeignKeys(database, name),
    indexes: describeIndexes(database, name),
    ...(estimate === undefined ? {} : { rows_estimate: estimate }),
  }
}

/**
 * `hidden` 1 marks a virtual table's inner columns; 2 and 3 are generated ones, which can be selected. A lone
 * INTEGER PRIMARY KEY is the row id and never null, though SQLite does not say so.
 */
function describeColumns(database: DatabaseSync, table: string): ColumnDescription[] {
  const rows = ask(database, 'select * from pragma_table_xinfo(?) where hidden <> 1', table)
  const keys = rows.filter((row) => row['pk'] !== 0)
  return rows.map((row) => ({
    name: String(row['name']),
    type: String(row['type']),
    nullable:
      row['notnull'] === 0 &&
      !(keys.length === 1 && keys[0] === row && /^integer$/i.test(String(row['type']))),
    ...(row['dflt_value'] === null ? {} : { default: String(row['dflt_value']) }),
    primary_key: row['pk'] !== 0,
  }))
}

function describeForeignKeys(database: DatabaseSync, table: string): ForeignKeyDescription[] {
  const rows = ask(database, 'select * from pragma_foreign_key_list(?) order by id, seq', table)
  const keys = Map.groupBy(rows, (row) => row['id'])
  return [...keys.values()].map((parts) => ({
    columns: parts.map((part) => String(part['from'])),
    references_table: String(parts[0]!['table']),
    references_columns: parts.flatMap((part) => (part['to'] === null ? [] : [String(part['to'])])),
    on_update: String(parts[0]!['on_update']),
    on_delete: String(parts[0]!['on_delete']),
  }))
}

function describeIndexes(database: DatabaseSync, table: string): IndexDescription[] {
  return ask(database, 'select name, "unique" from pragma_index_list(?) order by name', table).map((row) => {
    const name = String(row['name'])
    const columns = ask(database, 'select name from pragma_index_info(?) order by seqno', name)
    return {
      name,
      unique: row['unique'] === 1,
      columns: columns.map((part) => part['name'] as string | null),
    }
  })
}

/** What ANALYZE found, else a count that stops early; unknown for large tables that were never analysed. */
function estimateRows(database: DatabaseSync, table: string): number | undefined {
  const analysed = ask(database, "select 1 from sqlite_schema where name = 'sqlite_stat1'").length > 0
  const [found] = analysed ? ask(database, 'select stat from sqlite_stat1 where tbl = ? limit 1', table) : []
  if (found !== undefined) return Number.parseInt(String(found['stat']), 10)
  const quoted = `"${table.replaceAll('"', '""')}"`
  const [row] = ask(
    database,
    `select count(*) as n from (select 1 from ${quoted} limit ${rowsCountedMax + 1})`,
  )
  const counted = Number(row!['n'])
  return counted > rowsCountedMax ? undefined : counted
}

function ask(database: DatabaseSync, query: string, ...values: string[]): Row[] {
  return database.prepare(query).all(...values) as unknown as Row[]
}
