import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'

/** How many rows `items` has. */
export const itemRows = 100_000

/** A database with the table of items in it, as its URL says it. */
export interface BenchDatabase {
  readonly url: string
  readonly table: string
  drop(): Promise<void>
}

/** A file in `folder`, which goes with the folder. */
export function createSqliteItems(folder: string): BenchDatabase & { readonly file: string } {
  const file = path.join(folder, 'bench.db')
  const database = new DatabaseSync(file)
  database.exec('create table items(id integer primary key, name text, price real, note text); begin')
  const insert = database.prepare('insert into items values (?, ?, ?, ?)')
  for (let id = 1; id <= itemRows; id++) insert.run(id, `item ${id}`, id / 4, 'as good as any other')
  database.exec('commit')
  database.close()
  return { url: `sqlite:${file}`, file, table: 'items', drop: async () => {} }
}

/** A table on the server that the tests use, too, and a login that may do no more than read it. Both go when it is dropped. */
export async function createPostgresItems(): Promise<BenchDatabase> {
  const url = new URL(process.env['WEIR_TEST_POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres')
  const [table, role] = [`weir_bench_items_${process.pid}`, `weir_bench_${process.pid}`]
  const run = async (text: string) => {
    const client = new pg.Client({ connectionString: url.href })
    await client.connect()
    await client.query(text).finally(() => client.end())
  }
  await run(`create table ${table} as select id::int, 'item ' || id as name, id / 4.0::float8 as price,
      'as good as any other' as note from generate_series(1, ${itemRows}) id;
    alter table ${table} add primary key (id); analyze ${table};
    create role ${role} login password '${role}'; grant select on ${table} to ${role}`)
  const own = new URL(url)
  own.username = role
  own.password = role
  return { url: own.href, table, drop: () => run(`drop table ${table}; drop role ${role}`) }
}
