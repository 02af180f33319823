import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { createPostgresItems, createSqliteItems } from '../harness/bench-tables.ts'
import { buildPackage, Home } from '../harness/built-weir.ts'
import type { Bench, Case, Measured, RowSpec } from '../harness/case.ts'
import { measurePair } from '../harness/measure-pair.ts'
import { startToolbox, type ToolboxJob } from '../harness/toolbox.ts'
import { connect, findTool, verifyCall } from '../harness/verified-request.ts'

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
  const { url, file, drop } = createSqliteItems(folder)
  const source = { kind: 'sqlite', database: file }
  const statement = `select ${columns} from items where id = ?`
  return { name: 'SQLite', weirUrl: url, toolbox: { source, kind: 'sqlite-sql', statement }, drop }
}

async function createPostgres(): Promise<Engine> {
  const { url, table, drop } = await createPostgresItems()
  const { hostname: host, port, username: user, password, pathname } = new URL(url)
  const source = {
    ...{ kind: 'postgres', host, port: port || '5432', user, password: password || 'none' },
    ...{ database: pathname.slice(1), queryParams: { sslmode: 'disable' } },
  }
  const statement = `select ${columns} from ${table} where id = $1`
  return { name: 'PostgreSQL', weirUrl: url, toolbox: { source, kind: 'postgres-sql', statement }, drop }
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
