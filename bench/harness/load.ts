import type { VerifiedRequest } from './verified-request.ts'
import { startWorker, type Worker } from './worker.ts'

/** One round: so many connections, each sending the same request again as soon as it is answered. */
export interface LoadJob {
  readonly request: VerifiedRequest
  readonly connections: number
  readonly seconds: number
}

/** What autocannon counted in one round. */
export interface LoadResult {
  readonly completed: number
  readonly sent: number
  readonly ok: number
  readonly non2xx: number
  readonly errors: number
  readonly timeouts: number
  /** Answers that were not, byte for byte, the verified one. */
  readonly mismatches: number
  readonly seconds: number
}

/** The process that makes the load; one for a whole case, so that it is as warm for one side as for the other. */
export function startLoad(): Worker<LoadJob, LoadResult> {
  return startWorker(`${import.meta.dirname}/load-worker.ts`)
}

/** Answers per second. Throws unless every answer of the round was the verified one: errors are fast, and worth nothing. */
export function rateOf(result: LoadResult, connections: number): number {
  const { completed, sent, ok, non2xx, errors, timeouts, mismatches } = result
  const unanswered = sent - completed
  const isClean = completed > 0 && ok === completed && non2xx + errors + timeouts + mismatches === 0
  if (!isClean || unanswered < 0 || unanswered > connections) {
    throw new Error(`A round answered something else than the verified answer: ${JSON.stringify(result)}`)
  }
  return completed / result.seconds
}
