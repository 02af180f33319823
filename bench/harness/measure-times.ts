import type { Bench } from './case.ts'
import { type EgressJob, startEgressClient } from './egress.ts'
import { median } from './median.ts'

/** Two ways to send the same requests. */
export interface Ways {
  readonly subject: EgressJob
  readonly baseline: EgressJob
}

/** The median times of both, in milliseconds, and the connections each has used. */
export interface Times {
  readonly subjectMs: number
  readonly baselineMs: number
  /** The median of the rounds' own `subject / baseline`. */
  readonly ratio: number
  readonly connections: readonly [subject: number, baseline: number]
}

const jobsPerRound = 5

/** Both ways take turns, so that a machine that slows down hurts both; the first time of each only opens connections. */
export async function measureTimes(bench: Bench, { subject, baseline }: Ways): Promise<Times> {
  await using client = startEgressClient()
  bench.progress('warming up')
  for (const job of [subject, baseline]) await client.run(job)
  const [subjects, baselines]: [number[], number[]] = [[], []]
  let connections: [number, number] = [0, 0]
  for (let round = 1; round <= bench.rounds; round++) {
    bench.progress(`round ${round} of ${bench.rounds}`)
    for (let at = 0; at < jobsPerRound; at++) {
      const one = await client.run(subject)
      const other = await client.run(baseline)
      subjects.push(one.ms)
      baselines.push(other.ms)
      connections = [one.connections, other.connections]
    }
  }
  return {
    subjectMs: median(subjects),
    baselineMs: median(baselines),
    ratio: median(subjects.map((ms, at) => ms / baselines[at]!)),
    connections,
  }
}
