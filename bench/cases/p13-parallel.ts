import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { createPostgresItems } from '../harness/bench-tables.ts'
import { buildPackage, Home } from '../harness/built-weir.ts'
import type { Bench, Case, Measured } from '../harness/case.ts'
import { type Peer, parseResult, renderRequest } from '../harness/mcp-message.ts'
import { median } from '../harness/median.ts'
import { connect, findTool } from '../harness/verified-request.ts'

const queries = 8
const queryMs = 50
/** A round takes half a second, so that several are affordable. */
const timesPerRound = 5

/** Milliseconds that a call takes; throws unless it succeeds. */
async function time(peer: Peer, name: string, input: Record<string, unknown>): Promise<number> {
  const { url, headers, body } = renderRequest(peer, 'tools/call', { name, arguments: input })
  const startedMs = performance.now()
  const response = await fetch(url, { method: 'POST', headers, body })
  const text = await response.text()
  const tookMs = performance.now() - startedMs
  const result = JSON.stringify(parseResult(text))
  if (result.includes('"isError":true') || result.includes('"error"')) throw new Error(result.slice(0, 500))
  return tookMs
}

async function measure(bench: Bench): Promise<Measured> {
  bench.progress('building the package')
  await buildPackage()
  using home = new Home()
  const table = await createPostgresItems()
  try {
    const config = { connections: { database: { type: 'sql', databases: { bench: { url: table.url } } } } }
    writeFileSync(path.join(home.dir, 'weir.yaml'), JSON.stringify(config))
    await using weir = await home.startWeir()
    const peer = await connect(new URL('/mcp', weir.url).href, '2026-07-28')
    await findTool(peer, /execute_parallel_queries$/)
    const query = `select count(*) from pg_sleep(${queryMs / 1000})`
    const together = Array.from({ length: queries }, (_, index) => ({ query, alias: `q${index}` }))
    const [parallel, serial]: [number[], number[]] = [[], []]
    for (let round = 0; round <= bench.rounds; round++) {
      if (round > 0) bench.progress(`round ${round} of ${bench.rounds}`)
      for (let turn = 0; turn < timesPerRound; turn++) {
        const one = await time(peer, 'database__execute_parallel_queries', {
          queries: together,
          database: 'bench',
        })
        let all = 0
        for (let index = 0; index < queries; index++) {
          all += await time(peer, 'database__execute_query', { query, database: 'bench' })
        }
        // The first round opens the connections.
        if (round === 0) continue
        parallel.push(one)
        serial.push(all)
      }
    }
    const value = median(parallel.map((tookMs, turn) => tookMs / serial[turn]!))
    return { value, subject: median(parallel), baseline: median(serial) }
  } finally {
    await table.drop()
  }
}

/** P13: what is gained by asking independent questions at once. */
export const p13: Case = {
  id: 'P13',
  title: `execute_parallel_queries of ${queries} queries of ${queryMs} ms, PostgreSQL, against one after another`,
  rows: [{ unit: 'of its time', sides: 'ms', better: 'lower', bar: 0.25, goal: null, measure }],
}
