// Weir with one SQL database, in a process that tells how its event loop and its memory fare.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { embedWeir } from '../../src/app.ts'
import { answerJobs } from '../harness/worker.ts'

/** `start` once, with the database's URL; `reset` begins a measurement, `read` ends it. */
export type PagingJob = { readonly start: string } | { readonly read: true } | { readonly reset: true }

/** Where it listens, how late the event loop was in milliseconds at its 99th percentile, and the resident memory in MB. */
export interface PagingState {
  readonly url: string
  readonly delayP99Ms: number
  readonly residentMB: number
}

const delay = monitorEventLoopDelay({ resolution: 1 })
let url = ''

answerJobs<PagingJob, PagingState>(async (job) => {
  if ('start' in job) {
    const databases = { bench: { url: job.start } }
    const weir = embedWeir({
      config: {
        connections: { database: { type: 'sql', databases } },
        server: { port: 0 },
        log: { level: 'silent' },
      },
    })
    url = new URL('/mcp', (await weir.listen()).url).href
  }
  if ('reset' in job) {
    delay.reset()
    delay.enable()
  }
  // The histogram counts from one tick to the next, of which one millisecond is the tick itself.
  const delayP99Ms = Math.max(0, delay.percentile(99) / 1e6 - 1)
  return { url, delayP99Ms, residentMB: process.memoryUsage.rss() / 1e6 }
})
