import type { Bench, Case, Measured } from '../harness/case.ts'
import type { Server } from '../harness/children.ts'
import { measurePair, type Side } from '../harness/measure-pair.ts'
import { echoSide, startWeirEcho } from '../harness/processes.ts'
import { connect, verifyList } from '../harness/verified-request.ts'

const era = '2026-07-28'
const [large, small] = [1000, 10]

async function listSide(label: string, server: Server, tools: number): Promise<Side> {
  return { label, pid: server.pid, request: await verifyList(await connect(server.url, era), tools) }
}

async function measureList(bench: Bench): Promise<Measured> {
  await using weirLarge = await startWeirEcho(large)
  await using weirSmall = await startWeirEcho(small)
  const subject = await listSide('tools/list of 1,000', weirLarge, large)
  const measured = await measurePair(bench, subject, await listSide('tools/list of 10', weirSmall, small))
  const kilobytes = Math.round(subject.request.answer.length / 1000)
  return {
    ...measured,
    value: measured.subject,
    notes: [...(measured.notes ?? []), `${kilobytes} kB a list`],
  }
}

async function measureLookup(bench: Bench): Promise<Measured> {
  await using weirLarge = await startWeirEcho(large)
  await using weirSmall = await startWeirEcho(small)
  const subject = await echoSide('tools/call among 1,000', weirLarge, era)
  return await measurePair(bench, subject, await echoSide('tools/call among 10', weirSmall, era))
}

/** P10: a large catalog is listed fast, and a call does not notice its size. */
export const p10: Case = {
  id: 'P10',
  title: 'tools/list and tools/call with 1,000 tools, against 10 tools',
  rows: [
    { unit: 'lists/s', sides: '/s', better: 'higher', bar: 500, goal: null, measure: measureList },
    // O(1) means a ratio of 1; two medians of equal servers differ by a few per cent on a shared machine.
    { unit: 'of the call rate', sides: '/s', better: 'higher', bar: 0.9, goal: null, measure: measureLookup },
  ],
}
