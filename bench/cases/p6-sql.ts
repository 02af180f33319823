import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { buildPackage, Home } from '../harness/built-weir.ts'
import type { Bench, Case, Measured, RowSpec } from '../harness/case.ts'
import { measurePair } from '../harness/measure-pair.ts'
import { startToolbox, type ToolboxJob } from '../harness/toolbox.ts'
import { connect, findTool, verifyCall } from '../harness/verified-request.ts'

const rows = 100_000
const wanted = 41_414
const era = '2025-11-25'
const columns = 'id, name, price, note'

/** A database with `items` in it, as both sides are told of it. */
interface Engine {
  readonly name: string
  readonly weirUrl: string
  readonly toolbox: ToolboxJob
  drop(): Promise<void>
}

function createSqlite(folder: string): Engine {
  const file = path.join(folder, 'bench.db')
  const database = new DatabaseSync(file)
  database.exec('create table items(id integer primary key, name text, price real, note text)')
  const insert = database.prepare('insert into items values (?, ?, ?, ?)')
  database.exec('begin')
  for (let id = 1; id <= rows; id++) insert.run(id, `item ${id}`, id / 4, 'as good as any other')
  database.exec('commit')
  database.close()
  return {
    name: 'SQLite',
    weirUrl: `sqlite:${file}`,
    toolbox: {
      source: { kind: 'sqlite', database: file },
      kind: 'sqlite-sql',
      statement: `select ${columns} from items where id = ?`,
    },
    drop: async () => {},
  }
}

/** In a schema of its own, which goes again; the server's address as the tests have it. */
async function createPostgres(): Promise<Engine> {
  const url = new URL(process.env['WEIR_TEST_POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres')
  const table = `weir_bench_items_${process.pid}`
  const run = async (text: string) => {
    const client = new pg.Client({ connectionString: url.href })
    await client.connect()
    await client.query(text).finally(() => client.end())
  }
  // Readable by anybody, as Weir reads under a role of fewer rights.
  await run(`create table ${table} as select id::int, 'item ' || id as name, id / 4.0::float8 as price,
      'as good as any other' as note from generate_series(1, ${rows}) id;
    alter table ${table} add primary key (id); analyze ${table}; grant select on ${table} to public`)
  return {
    name: 'PostgreSQL',
    weirUrl: url.href,
    toolbox: {
      source: {
        ...{ kind: 'postgres', host: url.hostname, port: url.port || '5432', user: url.username },
        ...{ password: url.password || 'none', database: url.pathname.slice(1), sslmode: 'disable' },
      },
      kind: 'postgres-sql',
      statement: `select ${columns} from ${table} where id = $1`,
    },
    drop: () => run(`drop table ${table}`),
  }
}

async function measure(
  bench: Bench,
  create: (folder: string) => Engine | Promise<Engine>,
): Promise<Measured> {
  bench.progress('building the package')
  await buildPackage()
  using home = new Home()
  const engine = await create(home.dir)
  try {
    const databases = { bench: { url: engine.weirUrl } }
    const config = { connections: { database: { type: 'sql', databases } } }
    writeFileSync(path.join(home.dir, 'weir.yaml'), JSON.stringify(config))
    await using weir = await home.startWeir()
    await using toolbox = await startToolbox(engine.toolbox, home.dir)
    const ours = await connect(new URL('/mcp', weir.url).href, era)
    const theirs = await connect(toolbox.url, era)
    const query = engine.toolbox.statement.replace('?', '$1')
    const call = { query, parameters: [wanted], database: 'bench' }
    const isRow = (text: string) => text.includes(`item ${wanted}`)
    const subject = await verifyCall(ours, await findTool(ours, /execute_query$/), call, isRow, [
      '"execution_time_ms":[\\d.]+',
      '\\\\"execution_time_ms\\\\":[\\d.]+',
    ])
    const baseline = await verifyCall(theirs, 'find', { id: wanted }, isRow)
    return await measurePair(
      bench,
      { label: `Weir, ${engine.name}`, request: subject, pid: weir.pid },
      { label: `Google Toolbox, ${engine.name}`, request: baseline, pid: toolbox.pid },
    )
  } finally {
    await engine.drop()
  }
}

const row = (name: string, create: (folder: string) => Engine | Promise<Engine>): RowSpec => ({
  unit: `of its rate, ${name}`,
  sides: '/s',
  better: 'higher',
  bar: 1,
  goal: 2,
  measure: (bench) => measure(bench, create),
})

/** P6: one row by its primary key out of 100,000, over MCP, by the statement that Google's Toolbox is given too. */
export const p6: Case = {
  id: 'P6',
  title: 'execute_query by primary key, against Google’s MCP Toolbox with the same statement',
  rows: [row('SQLite', createSqlite), row('PostgreSQL', createPostgres)],
}
