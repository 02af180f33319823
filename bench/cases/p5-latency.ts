import { type Bench, type Case, type Era, eras, type Measured, type RowSpec } from '../harness/case.ts'
import { type LatencyResult, startLatencyProbe } from '../harness/latency.ts'
import { median } from '../harness/median.ts'
import { echoSide, startReverseProxy, startUpstream, startWeirProxy } from '../harness/processes.ts'

/** The probe itself gets faster for some seconds, and its time is part of every number. */
const warmupSeconds = 4

async function measure(bench: Bench, era: Era): Promise<Measured> {
  await using upstream = await startUpstream(era)
  await using weir = await startWeirProxy(upstream)
  await using proxy = await startReverseProxy(upstream)
  const sides = [
    await echoSide('Weir', weir, era),
    await echoSide('direct', upstream, era),
    await echoSide('bare reverse proxy', proxy, era),
  ]
  await using probe = startLatencyProbe()
  const requests = sides.map((side) => side.request)
  bench.progress(`warming up, ${era}`)
  await probe.run({ requests, seconds: warmupSeconds })
  const rounds: LatencyResult[] = []
  for (let round = 1; round <= bench.rounds; round++) {
    bench.progress(`round ${round} of ${bench.rounds}, one connection, ${era}`)
    rounds.push(await probe.run({ requests, seconds: bench.seconds }))
  }
  return summarise(rounds)
}

function summarise(rounds: readonly LatencyResult[]): Measured {
  const middle = (pick: (round: LatencyResult) => number) => median(rounds.map(pick))
  const proxyAdds = middle((round) => round[2]! - round[1]!)
  return {
    value: middle((round) => round[0]! - round[1]!),
    subject: middle((round) => round[0]!),
    baseline: middle((round) => round[1]!),
    notes: [`the bare reverse proxy adds ${proxyAdds.toFixed(3)} ms`],
  }
}

/** P5: what one lonely call waits longer than without the gateway. */
export const p5: Case = {
  id: 'P5',
  title: 'added p50 latency at 1 connection, HTTP upstream, against direct',
  rows: eras.map(
    (era): RowSpec => ({
      era,
      unit: 'ms more',
      sides: 'ms',
      better: 'lower',
      bar: 0.3,
      goal: 0.15,
      measure: (bench) => measure(bench, era),
    }),
  ),
}
