import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bench, Case, Measured, RowSpec } from '../harness/case.ts'
import { measurePair } from '../harness/measure-pair.ts'
import { echoSide, startGuardedEcho, startPlainNode, startWeirEcho } from '../harness/processes.ts'

const era = '2026-07-28'

async function measure(bench: Bench, effect: 'read' | 'write'): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-bench-'))
  try {
    await using collector = await startPlainNode()
    await using guarded = await startGuardedEcho(folder, collector, effect)
    await using plain = await startWeirEcho()
    const subject = await echoSide(`Weir, every policy on, a tool that ${effect}s`, guarded, era)
    return await measurePair(bench, subject, await echoSide('Weir, every policy off', plain, era))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const rows = (['read', 'write'] as const).map(
  (effect): RowSpec => ({
    unit: `of its rate, ${effect}`,
    sides: '/s',
    better: 'higher',
    // A write waits for the disk, twice: reported beside the read, without a bar of its own.
    bar: effect === 'read' ? 0.6 : 0,
    goal: effect === 'read' ? 0.8 : null,
    measure: (bench) => measure(bench, effect),
  }),
)

/** P7: what every policy together leaves of the rate. */
export const p7: Case = {
  id: 'P7',
  title: 'tools/call with every policy on, against every policy off',
  rows,
}
