import type { Bench, Case, Measured, RowSpec } from '../harness/case.ts'
import { startDistantUpstream } from '../harness/distant-upstream.ts'
import { measureTimes } from '../harness/measure-times.ts'

const requests = 60
const concurrency = 4

async function measure(bench: Bench, rttMs: number): Promise<Measured> {
  await using upstream = await startDistantUpstream(rttMs)
  const job = { ...upstream, http2: false, sockets: concurrency, concurrency, requests }
  const { subjectMs, baselineMs, ratio, connections } = await measureTimes(bench, {
    subject: { ...job, isPooled: true },
    baseline: { ...job, isPooled: false },
  })
  // What one request waits, with so many at once.
  const perRequest = concurrency / requests
  return {
    value: 100 * (1 - ratio),
    subject: subjectMs * perRequest,
    baseline: baselineMs * perRequest,
    notes: [
      `RTT ${rttMs} ms by a relay, TLS 1.3 (EC key, no resumption), handler time 0, ${concurrency} at once`,
      `${connections[0]} sockets served every round of the pooled side, ${requests} each round of the other`,
    ],
  }
}

/** P11: what keeping connections saves, near and far. */
export const p11: Case = {
  id: 'P11',
  title: 'HTTPS requests on pooled connections, against a connection each',
  rows: [0, 5].map(
    (rttMs): RowSpec => ({
      unit: `% less time, RTT ${rttMs} ms`,
      sides: 'ms',
      better: 'higher',
      bar: 60,
      goal: null,
      measure: (bench) => measure(bench, rttMs),
    }),
  ),
}
