import { type Bench, type Case, type Era, eras, type Measured, type RowSpec } from '../harness/case.ts'
import { measurePair } from '../harness/measure-pair.ts'
import { echoSide, startReverseProxy, startUpstream, startWeirProxy } from '../harness/processes.ts'

async function measure(bench: Bench, era: Era): Promise<Measured> {
  await using upstream = await startUpstream(era)
  await using weir = await startWeirProxy(upstream)
  await using proxy = await startReverseProxy(upstream)
  const subject = await echoSide(`Weir, HTTP upstream, ${era}`, weir, era)
  return await measurePair(bench, subject, await echoSide(`bare reverse proxy, ${era}`, proxy, era))
}

/** P3: what the gateway leaves of a bare hop; client and upstream of the same era. */
export const p3: Case = {
  id: 'P3',
  title: 'tools/call through Weir to an HTTP upstream, against a bare reverse proxy',
  rows: eras.map(
    (era): RowSpec => ({
      era,
      unit: 'of its rate',
      sides: '/s',
      better: 'higher',
      bar: 0.6,
      goal: 0.8,
      measure: (bench) => measure(bench, era),
    }),
  ),
}
