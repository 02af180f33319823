import { type Bench, type Case, type Era, eras, type Measured, type RowSpec } from '../harness/case.ts'
import { measurePair } from '../harness/measure-pair.ts'
import { echoSide, startSdkServer, startWeirEcho } from '../harness/processes.ts'

async function measure(bench: Bench, era: Era): Promise<Measured> {
  await using weir = await startWeirEcho()
  await using sdk = await startSdkServer()
  const subject = await echoSide(`Weir, in-process echo, ${era}`, weir, era)
  return await measurePair(bench, subject, await echoSide(`SDK v2 server, ${era}`, sdk, era))
}

/** P2: the same work as P1, against the official server. */
export const p2: Case = {
  id: 'P2',
  title: 'tools/call of an in-process echo tool, against the SDK v2 server',
  rows: eras.map(
    (era): RowSpec => ({
      era,
      unit: 'times its rate',
      sides: '/s',
      better: 'higher',
      bar: 6,
      goal: 8,
      measure: (bench) => measure(bench, era),
    }),
  ),
}
