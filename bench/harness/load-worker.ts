import autocannon from 'autocannon'
import type { LoadJob, LoadResult } from './load.ts'
import { stripVarying, type VerifiedRequest } from './verified-request.ts'
import { answerJobs } from './worker.ts'

answerJobs<LoadJob, LoadResult>(async ({ request, connections, seconds }) => {
  const result = await autocannon({
    url: request.url,
    method: 'POST',
    headers: request.headers,
    body: request.body,
    ...expect(request),
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

/** Byte for byte, but for what differs from answer to answer. */
function expect({ answer, varying }: VerifiedRequest) {
  if (varying === undefined) return { expectBody: answer }
  const expected = stripVarying(answer, varying)
  return { verifyBody: (body: string | Buffer) => stripVarying(String(body), varying) === expected }
}
