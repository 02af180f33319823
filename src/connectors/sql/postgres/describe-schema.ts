import type { SchemaDescription, TableDescription } from '../dialect.ts'
import { buildSchema, noSuchTable, tablesMax } from '../server/build-schema.ts'
import { catalogueQueries } from './catalogue-queries.ts'
import type { PgSession } from './pg-session.ts'
import { runRead } from './run-read.ts'

/** A catalogue's answer is bounded by what describes 500 tables, not by what a caller may see of rows. */
const limits = { rowsMax: 200_000, bytesMax: 64 * 1024 * 1024 }

type Row = Readonly<Record<string, unknown>>
type Id = unknown

const kinds: Readonly<Record<string, TableDescription['type']>> = { v: 'view', m: 'view' }
const actions: Readonly<Record<string, string>> = {
  a: 'NO ACTION',
  r: 'RESTRICT',
  c: 'CASCADE',
  n: 'SET NULL',
  d: 'SET DEFAULT',
}

/** Every table and view that the user may use, or the one named, in a handful of queries (D0-014). */
export async function describeSchema(
  session: PgSession,
  alias: string,
  tableName: string | undefined,
): Promise<SchemaDescription> {
  const tables = await ask(session, catalogueQueries.tables, [tableName ?? null, tablesMax + 1])
  if (tables.length === 0 && tableName !== undefined) throw noSuchTable(alias, tableName)
  const ids = [tables.map(({ id }) => id as number)]
  const columns = byTable(await ask(session, catalogueQueries.columns, ids))
  const keys = byTable(await ask(session, catalogueQueries.keys, ids))
  const indexes = byTable(await ask(session, catalogueQueries.indexes, ids))
  return buildSchema(tables, (table) =>
    describeTable(table, columns.get(table['id']), keys.get(table['id']), indexes.get(table['id'])),
  )
}

async function ask(
  session: PgSession,
  query: string,
  parameters: readonly unknown[],
): Promise<readonly Row[]> {
  const statement = { query, parameters: parameters as never }
  return (await runRead(session, statement, limits)).rows
}

function byTable(rows: readonly Row[]): ReadonlyMap<Id, readonly Row[]> {
  return Map.groupBy(rows, (row) => row['id'])
}

function describeTable(
  table: Row,
  columns: readonly Row[] = [],
  keys: readonly Row[] = [],
  indexes: readonly Row[] = [],
): TableDescription {
  const primary = keys.find(({ kind }) => kind === 'p')?.['columns'] as readonly string[] | undefined
  const rows = Number(table['rows'])
  return {
    name: String(table['name']),
    type: kinds[String(table['kind'])] ?? 'table',
    columns: columns.map((column) => describeColumn(column, primary ?? [])),
    foreign_keys: keys.filter(({ kind }) => kind === 'f').map(describeForeignKey),
    indexes: indexes.map((index) => ({
      name: String(index['name']),
      unique: index['unique'] === true,
      columns: index['columns'] as readonly (string | null)[],
    })),
    ...(table['kind'] !== 'v' && rows >= 0 ? { rows_estimate: Math.round(rows) } : {}),
    ...comment(table),
  }
}

function describeColumn(column: Row, primary: readonly string[]) {
  const name = String(column['name'])
  const value = column['default'] ?? column['identity']
  return {
    name,
    type: String(column['type']),
    nullable: column['nullable'] === true,
    ...(typeof value === 'string' ? { default: value } : {}),
    primary_key: primary.includes(name),
    ...comment(column),
  }
}

function describeForeignKey(key: Row) {
  return {
    columns: key['columns'] as readonly string[],
    references_table: String(key['to_table']),
    references_columns: key['to_columns'] as readonly string[],
    on_update: actions[String(key['on_update'])] ?? '',
    on_delete: actions[String(key['on_delete'])] ?? '',
  }
}

function comment({ comment }: Row): { comment: string } | undefined {
  return typeof comment === 'string' ? { comment } : undefined
}
