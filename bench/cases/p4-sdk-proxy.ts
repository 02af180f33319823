import { type Bench, type Case, type Era, eras, type Measured, type RowSpec } from '../harness/case.ts'
import { measurePair } from '../harness/measure-pair.ts'
import { echoSide, startSdkProxy, startUpstream, startWeirProxy } from '../harness/processes.ts'

async function measure(bench: Bench, era: Era): Promise<Measured> {
  await using upstream = await startUpstream(era)
  await using weir = await startWeirProxy(upstream)
  await using proxy = await startSdkProxy(upstream, era)
  const subject = await echoSide(`Weir, HTTP upstream, ${era}`, weir, era)
  return await measurePair(bench, subject, await echoSide(`SDK v2 proxy, ${era}`, proxy, era))
}

/** P4: the same work as P3, against a proxy of official parts. */
export const p4: Case = {
  id: 'P4',
  title: 'tools/call through Weir to an HTTP upstream, against a proxy built on the SDK v2',
  rows: eras.map(
    (era): RowSpec => ({
      era,
      unit: 'times its rate',
      sides: '/s',
      better: 'higher',
      bar: 8,
      goal: 12,
      measure: (bench) => measure(bench, era),
    }),
  ),
}
