import type { Bench, Case, Measured } from '../harness/case.ts'
import { startDistantUpstream } from '../harness/distant-upstream.ts'
import { measureTimes } from '../harness/measure-times.ts'

const rttMs = 20
const calls = 100
const poolSockets = 10

async function measure(bench: Bench): Promise<Measured> {
  await using upstream = await startDistantUpstream(rttMs)
  const job = { ...upstream, concurrency: calls, requests: calls, isPooled: true }
  const { subjectMs, baselineMs, ratio, connections } = await measureTimes(bench, {
    subject: { ...job, http2: true, sockets: calls },
    baseline: { ...job, http2: false, sockets: poolSockets },
  })
  return {
    value: 1 / ratio,
    subject: subjectMs,
    baseline: baselineMs,
    notes: [
      `RTT ${rttMs} ms by a relay, TLS 1.3, handler time 0, ${calls} at once, connections open beforehand`,
      `HTTP/2 used ${connections[0]} connection(s), the pool ${connections[1]}`,
    ],
  }
}

/** P12: what sharing a connection saves where a pool is smaller than the load. */
export const p12: Case = {
  id: 'P12',
  title: `${calls} concurrent calls at ${rttMs} ms by HTTP/2, against an HTTPS pool of ${poolSockets}`,
  rows: [{ unit: 'times as fast', sides: 'ms', better: 'higher', bar: 3, goal: null, measure }],
}
