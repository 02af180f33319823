import { type Bench, type Case, type Era, eras, type Measured, type RowSpec } from '../harness/case.ts'
import { measurePair } from '../harness/measure-pair.ts'
import { echoSide, startBareEcho, startWeirEcho } from '../harness/processes.ts'

async function measure(bench: Bench, era: Era): Promise<Measured> {
  await using weir = await startWeirEcho()
  const subject = await echoSide(`Weir, in-process echo, ${era}`, weir, era)
  const { server, side } = await startBareEcho(subject.request)
  await using _ = server
  return await measurePair(bench, subject, side)
}

/** P1: what catalog, validation and executor leave of the HTTP server's own speed. */
export const p1: Case = {
  id: 'P1',
  title: 'tools/call of an in-process echo tool, against bare node:http',
  rows: eras.map(
    (era): RowSpec => ({
      era,
      unit: 'of its rate',
      sides: '/s',
      better: 'higher',
      bar: 0.5,
      goal: 0.7,
      measure: (bench) => measure(bench, era),
    }),
  ),
}
