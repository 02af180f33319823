import { setTimeout as sleep } from 'node:timers/promises'
import { buildPackage, Home } from '../harness/built-weir.ts'
import type { Bench, Case, Measured } from '../harness/case.ts'
import { runToEnd, type Server } from '../harness/children.ts'
import { median } from '../harness/median.ts'

/** A start takes less than a second, so a round affords several. */
const startsPerRound = 5
const answerTimeoutMs = 10_000
const retryPauseMs = 2

const query = JSON.stringify({
  tools: [
    {
      tool_slug: 'database:execute_query',
      arguments: { query: 'select count(*) from orders', database: 'analytics' },
    },
  ],
})

/** Asks until the query is answered; a connection that is still opening says so, and is asked again at once. */
async function awaitAnswer(server: Server): Promise<void> {
  const url = new URL('/mcp/execute', server.url)
  const deadlineMs = performance.now() + answerTimeoutMs
  for (;;) {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: query,
    })
    const text = await response.text()
    if (response.ok && (JSON.parse(text) as { successful?: unknown }).successful === true) return
    if (performance.now() > deadlineMs)
      throw new Error(`${url} answered ${response.status}: ${text.slice(0, 500)}`)
    await sleep(retryPauseMs)
  }
}

/** Milliseconds from the spawn to the answered query. Stops the server by SIGTERM, so that it can keep its compile cache. */
async function timeStart(home: Home): Promise<number> {
  await using server = await home.startWeir()
  await awaitAnswer(server)
  return performance.now() - server.startedMs
}

async function timeNode(): Promise<number> {
  const startedMs = performance.now()
  await runToEnd(process.execPath, ['-e', '0'])
  return performance.now() - startedMs
}

async function timeColdStart(): Promise<number> {
  using home = new Home()
  return await timeStart(home)
}

async function measure(bench: Bench): Promise<Measured> {
  bench.progress('building the package')
  await buildPackage()
  using home = new Home()
  bench.progress('filling the compile cache')
  for (let i = 0; i < 2; i++) await timeStart(home)
  const [warm, cold, bare]: [number[], number[], number[]] = [[], [], []]
  for (let round = 1; round <= bench.rounds; round++) {
    bench.progress(`round ${round} of ${bench.rounds}, ${startsPerRound} starts`)
    for (let i = 0; i < startsPerRound; i++) {
      warm.push(await timeStart(home))
      bare.push(await timeNode())
    }
    cold.push(await timeColdStart())
  }
  const [subject, baseline] = [median(warm), median(bare)]
  const coldMs = Math.round(median(cold) - baseline)
  return {
    value: subject - baseline,
    subject,
    baseline,
    notes: [`cold, without any compile cache and in an empty home: ${coldMs} ms more`],
  }
}

/** P8: from the command to the first answered query. */
export const p8: Case = {
  id: 'P8',
  title: 'built package, weir start to the first answered query, against node -e 0',
  rows: [{ unit: 'ms more', sides: 'ms', better: 'lower', bar: 400, goal: 200, measure }],
}
