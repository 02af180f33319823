import type { Bench, Measured } from './case.ts'
import { cpuSeconds } from './cpu-time.ts'
import { type LoadJob, type LoadResult, rateOf, startLoad } from './load.ts'
import { median } from './median.ts'
import type { VerifiedRequest } from './verified-request.ts'
import type { Worker } from './worker.ts'

/** One side of a comparison: the request to repeat, and the process that answers it. */
export interface Side {
  readonly label: string
  readonly request: VerifiedRequest
  readonly pid: number
}

interface Tally {
  readonly side: Side
  readonly rates: number[]
  /** Share of one core that the answering process used, a number a round. */
  readonly cpu: number[]
}

const warmupSecondsMax = 2

/** Rates of both sides, in rounds that take turns; `value` is the median of the rounds' own ratios. */
export async function measurePair(bench: Bench, subject: Side, baseline: Side): Promise<Measured> {
  await using load = startLoad()
  const tallies = [subject, baseline].map((side): Tally => ({ side, rates: [], cpu: [] }))
  for (const { side } of tallies) {
    bench.progress(`warming up ${side.label}`)
    await runRound(bench, load, side, Math.min(warmupSecondsMax, bench.seconds))
  }
  for (let round = 1; round <= bench.rounds; round++) {
    // Who goes first alternates too, so that a machine that slows down hurts both.
    for (const tally of round % 2 === 1 ? tallies : tallies.toReversed()) {
      bench.progress(`round ${round} of ${bench.rounds}, ${tally.side.label}`)
      const { rate, cpu } = await runRound(bench, load, tally.side, bench.seconds)
      tally.rates.push(rate)
      if (cpu !== undefined) tally.cpu.push(cpu)
    }
  }
  return summarise(tallies[0]!, tallies[1]!)
}

async function runRound(bench: Bench, load: Worker<LoadJob, LoadResult>, side: Side, seconds: number) {
  const cpuBefore = cpuSeconds(side.pid)
  const { connections } = bench
  const result = await load.run({ request: side.request, connections, seconds })
  const cpuAfter = cpuSeconds(side.pid)
  const used = cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore
  return {
    rate: rateOf(result, connections),
    cpu: used === undefined ? undefined : used / result.seconds,
  }
}

function summarise(subject: Tally, baseline: Tally): Measured {
  // Each round against its own neighbour: what slows the machine for a while slows both sides of one ratio.
  const ratios = subject.rates.map((rate, round) => rate / baseline.rates[round]!)
  return {
    value: median(ratios),
    subject: median(subject.rates),
    baseline: median(baseline.rates),
    notes: [subject, baseline].map(describe),
  }
}

/** Below this share of a core, a side was waiting for the load or for the machine, and its rate says little. */
const saturated = 0.85

function describe({ side, rates, cpu }: Tally): string {
  const spread = `${side.label}: ${Math.round(Math.min(...rates))} to ${Math.round(Math.max(...rates))}/s`
  if (cpu.length === 0) return spread
  const share = median(cpu)
  const limit = share < saturated ? ' only: the load or the machine was the limit, not this side' : ''
  return `${spread} on ${Math.round(share * 100)} % of a core${limit}`
}
