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

/** The heap grows to its working size in the first passes. */
const warmups = 2

/** What a round had of the event loop's delay, and the memory after it. */
async function measure(
  bench: Bench,
  create: Create,
  pick: (states: readonly PagingState[]) => number,
): Promise<Measured> {
  using home = new Home()
  const database = await create(home.dir)
  await using weir = startWorker<PagingJob, PagingState>(worker)
  try {
    const { url } = await weir.run({ start: database.url })
    const peer = await connect(url, '2026-07-28')
    await findTool(peer, /fetch_rows$/)
    const states: PagingState[] = []
    for (let round = 1 - warmups; round <= bench.rounds; round++) {
      bench.progress(round < 1 ? 'warming up' : `round ${round} of ${bench.rounds}, ${itemRows} rows`)
      await weir.run({ reset: true })
      await readAll(peer, database.table)
      if (round >= 0) states.push(await weir.run({ read: true }))
    }
    const [first, last] = [states[0]!.residentMB, states.at(-1)!.residentMB]
    return { value: pick(states), subject: last, baseline: first }
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
    measure: (bench) =>
      measure(bench, create, (states) => median(states.slice(1).map((state) => state.delayP99Ms))),
  },
  {
    unit: `MB more after each 100,000 rows, ${name}`,
    sides: 'MB',
    better: 'lower',
    bar: 5,
    goal: null,
    measure: (bench) =>
      measure(
        bench,
        create,
        (states) => (states.at(-1)!.residentMB - states[0]!.residentMB) / (states.length - 1),
      ),
  },
]

/** P14: a whole table by cursor, a thousand rows a page: the event loop stays free and the memory flat. */
export const p14: Case = {
  id: 'P14',
  title: 'all 100,000 rows of a table page by page, event loop delay and memory',
  rows: [...rows('SQLite', createSqliteItems), ...rows('PostgreSQL', createPostgresItems)],
}
