import {
  type BenchDatabase,
  createPostgresItems,
  createSqliteItems,
  itemRows,
} from '../harness/bench-tables.ts'
import { Home } from '../harness/built-weir.ts'
import type { Bench, Case, Measured, RowSpec } from '../harness/case.ts'
import { type Peer, parseResult, renderRequest } from '../harness/mcp-message.ts'
import { median } from '../harness/median.ts'
import { connect, findTool } from '../harness/verified-request.ts'
import { startWorker } from '../harness/worker.ts'
import type { PagingJob, PagingState } from '../subjects/weir-paging-worker.ts'

const worker = new URL('../subjects/weir-paging-worker.ts', import.meta.url).pathname

interface Page {
  readonly count: number
  readonly next_cursor?: string
}

async function call(peer: Peer, name: string, input: Record<string, unknown>): Promise<Page> {
  const { url, headers, body } = renderRequest(peer, 'tools/call', { name, arguments: input })
  const response = await fetch(url, { method: 'POST', headers, body })
  const result = parseResult(await response.text())
  if (result['isError'] === true) throw new Error(JSON.stringify(result).slice(0, 500))
  return result['structuredContent'] as Page
}

/** Every row of the table, page by page, over MCP. */
async function readAll(peer: Peer, table: string): Promise<void> {
  const query = `select * from ${table} order by id`
  let page = await call(peer, 'database__execute_query', { query, database: 'bench', with_cursor: true })
  let rows = page.count
  while (page.next_cursor !== undefined) {
    page = await call(peer, 'database__fetch_rows', { cursor: page.next_cursor })
    rows += page.count
  }
  if (rows !== itemRows) throw new Error(`${rows} of ${itemRows} rows came.`)
}

type Create = (folder: string) => BenchDatabase | Promise<BenchDatabase>
type Pick = (before: PagingState, after: PagingState) => number

async function measure(bench: Bench, create: Create, pick: Pick): Promise<Measured> {
  using home = new Home()
  const database = await create(home.dir)
  await using weir = startWorker<PagingJob, PagingState>(worker)
  try {
    const { url } = await weir.run({ start: database.url })
    const peer = await connect(url, '2026-07-28')
    await findTool(peer, /fetch_rows$/)
    bench.progress('warming up')
    await readAll(peer, database.table)
    const values: number[] = []
    let before = await weir.run({ reset: true })
    for (let round = 1; round <= bench.rounds; round++) {
      bench.progress(`round ${round} of ${bench.rounds}, ${itemRows} rows`)
      await readAll(peer, database.table)
      const after = await weir.run({ read: true })
      values.push(pick(before, after))
      before = await weir.run({ reset: true })
    }
    const { residentMB } = before
    return {
      value: median(values),
      subject: residentMB,
      baseline: residentMB,
      notes: [`${residentMB.toFixed(0)} MB in all`],
    }
  } finally {
    await database.drop()
  }
}

const rows = (name: string, create: Create): readonly RowSpec[] => [
  {
    unit: `ms late at p99, ${name}`,
    sides: 'MB',
    better: 'lower',
    bar: 20,
    goal: null,
    measure: (bench) => measure(bench, create, (_before, after) => after.delayP99Ms),
  },
  {
    unit: `MB more after each 100,000 rows, ${name}`,
    sides: 'MB',
    better: 'lower',
    bar: 5,
    goal: null,
    measure: (bench) => measure(bench, create, (before, after) => after.residentMB - before.residentMB),
  },
]

/** P14: a whole table by cursor, a thousand rows a page: the event loop stays free and the memory flat. */
export const p14: Case = {
  id: 'P14',
  title: 'all 100,000 rows of a table page by page, event loop delay and memory',
  rows: [...rows('SQLite', createSqliteItems), ...rows('PostgreSQL', createPostgresItems)],
}
