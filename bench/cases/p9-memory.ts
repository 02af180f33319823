import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { buildPackage, Home } from '../harness/built-weir.ts'
import type { Bench, Case, Measured } from '../harness/case.ts'
import type { Server } from '../harness/children.ts'
import { median } from '../harness/median.ts'
import { startPlainNode, startUpstream } from '../harness/processes.ts'
import { settledResidentMB } from '../harness/resident-memory.ts'
import { connect, findTool, verifyList } from '../harness/verified-request.ts'

const era = '2026-07-28'
const upstreamTools = 1000
const idleUpstreams = 40
const idleServer = path.resolve(import.meta.dirname, '../baselines/idle-stdio.ts')

async function measureRounds(bench: Bench, measureRound: () => Promise<number>): Promise<Measured> {
  bench.progress('building the package')
  await buildPackage()
  const [ours, bare]: [number[], number[]] = [[], []]
  for (let round = 1; round <= bench.rounds; round++) {
    bench.progress(`round ${round} of ${bench.rounds}, waiting until the memory settles`)
    ours.push(await measureRound())
    await using node = await startPlainNode()
    bare.push(await settledResidentMB(node.pid))
  }
  const value = median(ours)
  const notes = [`${Math.min(...ours).toFixed(1)} to ${Math.max(...ours).toFixed(1)} MB`]
  return { value, subject: value, baseline: median(bare), notes }
}

async function measureIdle(): Promise<number> {
  using home = new Home()
  await using weir = await home.startWeir()
  return await settledResidentMB(weir.pid)
}

async function measureWithUpstream(upstream: Server): Promise<number> {
  using home = new Home()
  const connection = { type: 'mcp', url: upstream.url, allowPrivate: true }
  // JSON is YAML.
  writeFileSync(path.join(home.dir, 'weir.yaml'), JSON.stringify({ connections: { upstream: connection } }))
  await using weir = await home.startWeir()
  const peer = await connect(new URL('/mcp', weir.url).href, era)
  await findTool(peer, /echo$/)
  await verifyList(peer, upstreamTools)
  return await settledResidentMB(weir.pid)
}

/** Weir's own memory with so many servers over stdio, each a child of its own whose memory is not counted. */
async function measureWithIdle(count: number): Promise<number> {
  using home = new Home()
  const connection = { type: 'mcp', command: process.execPath, args: [idleServer] }
  const connections = Object.fromEntries(Array.from({ length: count }, (_, i) => [`idle-${i}`, connection]))
  writeFileSync(path.join(home.dir, 'weir.yaml'), JSON.stringify({ connections }))
  await using weir = await home.startWeir()
  const peer = await connect(new URL('/mcp', weir.url).href, era)
  if (count > 0) await findTool(peer, new RegExp(`idle-${count - 1}__`))
  return await settledResidentMB(weir.pid)
}

async function measureIdleUpstreams(bench: Bench): Promise<Measured> {
  bench.progress('building the package')
  await buildPackage()
  const [full, empty, each]: [number[], number[], number[]] = [[], [], []]
  for (let round = 1; round <= bench.rounds; round++) {
    bench.progress(`round ${round} of ${bench.rounds}, ${idleUpstreams} idle upstreams`)
    full.push(await measureWithIdle(idleUpstreams))
    empty.push(await measureWithIdle(0))
    each.push((full.at(-1)! - empty.at(-1)!) / idleUpstreams)
  }
  return { value: median(each), subject: median(full), baseline: median(empty) }
}

async function measureTools(bench: Bench): Promise<Measured> {
  await using upstream = await startUpstream(era, upstreamTools)
  return await measureRounds(bench, () => measureWithUpstream(upstream))
}

/** P9: what the process itself keeps in memory; the baseline is an idle bare node:http server. */
export const p9: Case = {
  id: 'P9',
  title: 'built package, resident memory of its own process, beside a bare node:http server',
  rows: [
    {
      unit: 'MB idle',
      sides: 'MB',
      better: 'lower',
      bar: 140,
      goal: 100,
      measure: (bench) => measureRounds(bench, measureIdle),
    },
    {
      unit: 'MB with 1,000 upstream tools',
      sides: 'MB',
      better: 'lower',
      bar: 200,
      goal: 150,
      measure: measureTools,
    },
    {
      unit: 'MB per idle upstream',
      sides: 'MB',
      better: 'lower',
      bar: 2,
      goal: 1,
      measure: measureIdleUpstreams,
    },
  ],
}
