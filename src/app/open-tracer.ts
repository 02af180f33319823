import type { Config } from '../config/config.ts'
import { deferTracer } from '../telemetry/defer-tracer.ts'
import type { OpenTracer } from '../telemetry/traces.ts'
import { type Base, identity } from './base.ts'

/** Sends spans by the one way out. A collector stands in the operator's own network, most often. */
export function openTracer({ log, egress }: Base, { telemetry }: Config): OpenTracer | undefined {
  const { traces } = telemetry
  if (traces === undefined) return undefined
  const client = egress.client({ name: 'telemetry', allowPrivate: true })
  const headers = { ...traces.headers, 'content-type': 'application/json' }
  const send = async (body: Uint8Array) => {
    const { status } = await client.request(traces.url, { method: 'POST', headers, body: Buffer.from(body) })
    if (status >= 300) throw new Error(`The collector answered ${status}.`)
  }
  const load = async () => {
    const { createTracer } = await import('../telemetry/traces.ts')
    return createTracer({ sample: traces.sample, random: Math.random, service: identity, send, log })
  }
  return deferTracer(load, log)
}
