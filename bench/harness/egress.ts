import { startWorker, type Worker } from './worker.ts'

/** So many requests by Weir's egress client, so many of them at once. */
export interface EgressJob {
  readonly url: string
  readonly ca: string
  readonly http2: boolean
  /** Requests at once that the client allows; over HTTP/1.1 each has a socket. */
  readonly sockets: number
  readonly concurrency: number
  readonly requests: number
  /** False: a client, and so a connection, for every request. */
  readonly isPooled: boolean
}

/** How long all of them took, and over how many connections the client has sent until now. */
export interface EgressResult {
  readonly ms: number
  readonly connections: number
}

/** A process that asks; one for a whole case, so that it is as warm for one side as for the other. */
export function startEgressClient(): Worker<EgressJob, EgressResult> {
  return startWorker(`${import.meta.dirname}/egress-worker.ts`)
}
