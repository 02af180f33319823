import type { VerifiedRequest } from './verified-request.ts'
import { startWorker, type Worker } from './worker.ts'

/** One connection to each target, one request at a time, the targets taking turns. */
export interface LatencyJob {
  readonly requests: readonly VerifiedRequest[]
  readonly seconds: number
}

/** The median time of one request to each target, in milliseconds, in the order of the job. */
export type LatencyResult = readonly number[]

/** autocannon counts whole milliseconds; this process times one request at a time in nanoseconds. */
export function startLatencyProbe(): Worker<LatencyJob, LatencyResult> {
  return startWorker(`${import.meta.dirname}/latency-worker.ts`)
}
