import type { SchemaDescription, TableDescription } from '../dialect.ts'
import { buildSchema, noSuchTable, tablesMax } from '../server/build-schema.ts'
import type { MySqlSession } from './mysql-session.ts'
import { createMySqlShape, type MySqlShape } from './mysql-values.ts'
import { compile } from './run-mysql-read.ts'

type Row = Readonly<Record<string, unknown>>

/** The information schema tells of what the user may use only. The session's own limit of rows is lifted by LIMIT. */
const named = (column: string) => `table_schema = database() and ($1 is null or ${column} = $1)`
const queries = {
  tables: `select table_name as name, table_type as kind, table_rows as rows_estimate, table_comment as comment
    from information_schema.tables where ${named('table_name')} and table_type <> 'SEQUENCE'
    order by table_name limit ${tablesMax + 1}`,
  columns: `select table_name as tab, column_name as name, column_type as type, is_nullable = 'YES' as nullable,
      column_default as initial, column_key = 'PRI' as is_primary, extra, column_comment as comment
    from information_schema.columns where ${named('table_name')} order by table_name, ordinal_position limit 200000`,
  keys: `select k.table_name as tab, k.constraint_name as name, k.column_name as col, k.referenced_table_schema as to_schema,
      k.referenced_table_name as to_table, k.referenced_column_name as to_column, r.update_rule as on_update, r.delete_rule as on_delete,
      k.table_schema as own_schema
    from information_schema.key_column_usage k join information_schema.referential_constraints r
      on r.constraint_schema = k.constraint_schema and r.constraint_name = k.constraint_name and r.table_name = k.table_name
    where k.table_schema = database() and ($1 is null or k.table_name = $1) and k.referenced_table_name is not null
    order by k.table_name, k.constraint_name, k.ordinal_position limit 200000`,
  indexes: `select table_name as tab, index_name as name, non_unique, column_name as col
    from information_schema.statistics where ${named('table_name')} and index_name <> 'PRIMARY'
    order by table_name, index_name, seq_in_index limit 200000`,
} as const

/** Every table and view that the user may use, or the one named, in a handful of queries (D0-014). */
export async function describeMySqlSchema(
  session: MySqlSession,
  alias: string,
  tableName: string | undefined,
): Promise<SchemaDescription> {
  await session.run(`XA START '${session.transactionId}'`)
  const ask = (query: string) => askCatalogue(session, query, tableName)
  const tables = await ask(queries.tables)
  if (tables.length === 0 && tableName !== undefined) throw noSuchTable(alias, tableName)
  const columns = byTable(await ask(queries.columns))
  const keys = byTable(await ask(queries.keys))
  const indexes = byTable(await ask(queries.indexes))
  return buildSchema(tables, (table) =>
    describeTable(table, columns.get(table['name']), keys.get(table['name']), indexes.get(table['name'])),
  )
}

async function askCatalogue(
  session: MySqlSession,
  query: string,
  tableName: string | undefined,
): Promise<Row[]> {
  const name = tableName ?? null
  const { compiled, values } = await compile(session, query, query.includes('$1') ? [name] : [])
  const rows: Row[] = []
  let shape: MySqlShape | undefined
  await session.execute(compiled, values, {
    fields: (fields) => {
      shape = createMySqlShape(fields)
    },
    row: (row) => rows.push(shape!.parse(row)),
  })
  return rows
}

function byTable(rows: readonly Row[]): ReadonlyMap<unknown, readonly Row[]> {
  return Map.groupBy(rows, ({ tab }) => tab)
}

function describeTable(
  table: Row,
  columns: readonly Row[] = [],
  keys: readonly Row[] = [],
  indexes: readonly Row[] = [],
): TableDescription {
  const isView = table['kind'] === 'VIEW' || table['kind'] === 'SYSTEM VIEW'
  const estimate = table['rows_estimate']
  return {
    name: String(table['name']),
    type: isView ? 'view' : 'table',
    columns: columns.map(describeColumn),
    foreign_keys: groupByName(keys).map(describeForeignKey),
    indexes: groupByName(indexes).map((parts) => ({
      name: String(parts[0]!['name']),
      unique: Number(parts[0]!['non_unique']) === 0,
      columns: parts.map(({ col }) => col as string | null),
    })),
    ...(isView || estimate === null ? {} : { rows_estimate: Number(estimate) }),
    ...(isView ? {} : comment(table)),
  }
}

function describeColumn(column: Row) {
  const initial = column['initial']
  const isAutomatic = String(column['extra']).includes('auto_increment')
  const value = isAutomatic ? 'auto_increment' : initial
  return {
    name: String(column['name']),
    type: String(column['type']),
    nullable: Number(column['nullable']) === 1,
    // MariaDB writes a default of NULL as the word.
    ...(typeof value === 'string' && value !== 'NULL' ? { default: value } : {}),
    primary_key: Number(column['is_primary']) === 1,
    ...comment(column),
  }
}

function describeForeignKey(parts: readonly Row[]) {
  const [first] = parts as [Row]
  const isNear = first['to_schema'] === first['own_schema']
  return {
    columns: parts.map(({ col }) => String(col)),
    references_table: isNear ? String(first['to_table']) : `${first['to_schema']}.${first['to_table']}`,
    references_columns: parts.map((part) => String(part['to_column'])),
    on_update: String(first['on_update']),
    on_delete: String(first['on_delete']),
  }
}

function groupByName(rows: readonly Row[]): (readonly Row[])[] {
  return [...Map.groupBy(rows, ({ name }) => name).values()]
}

function comment({ comment }: Row): { comment: string } | undefined {
  return typeof comment === 'string' && comment !== '' ? { comment } : undefined
}
