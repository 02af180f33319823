import autocannon from 'autocannon'
import type { LoadJob, LoadResult } from './load.ts'
import { answerJobs } from './worker.ts'

answerJobs<LoadJob, LoadResult>(async ({ request, connections, seconds }) => {
  const result = await autocannon({
    url: request.url,
    method: 'POST',
    headers: request.headers,
    body: request.body,
    expectBody: request.answer,
    connections,
    pipelining: 1,
    duration: seconds,
    // Rounds end at a sample, so fine samples keep them to the length asked for.
    sampleInt: 100,
    timeout: 10,
  })
  return {
    completed: result.requests.total,
    sent: result.requests.sent,
    ok: result['2xx'],
    non2xx: result.non2xx,
    errors: result.errors,
    timeouts: result.timeouts,
    mismatches: result.mismatches,
    seconds: result.duration,
  }
})
