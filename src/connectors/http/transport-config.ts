import { z } from 'zod'
import { type ClientOptions, type PoolPreset, poolPresets } from '../../egress/egress.ts'

const pem = z
  .string()
  .min(1)
  .max(256 * 1024)
const count = z.int().min(1).max(10_000)

/** Whom an API's client trusts, and as whom it presents itself (mutual TLS). */
const tls = z.strictObject({
  ca: pem
    .optional()
    .describe('Certificate authorities in PEM, instead of the system’s own; usually `${file:…}`.'),
  cert: pem.optional().describe('Weir’s certificate with its chain, in PEM, for an API that asks for one.'),
  key: pem.optional().describe('The private key of `cert`, in PEM.'),
  passphrase: z.string().min(1).max(1_000).optional().describe('Opens an encrypted `key`.'),
  serverName: z
    .string()
    .min(1)
    .max(253)
    .optional()
    .describe('The name the API’s certificate must have, where that is not the host of `baseUrl`.'),
})

const limits = z.strictObject({
  connectionsMax: count.optional().describe('Requests under way at once (100).'),
  connectionsPerOrigin: count.optional().describe('Requests under way at once to one origin (30).'),
  waitingMax: z
    .int()
    .min(0)
    .max(100_000)
    .optional()
    .describe('Requests that wait for a connection; beyond it OVERLOADED (1,000).'),
  idleTimeoutMs: z
    .int()
    .min(1)
    .max(3_600_000)
    .optional()
    .describe('How long an idle connection is kept for the next request, in milliseconds (4,000).'),
})

/** How requests reach an API: fields of its configuration. */
export const transportFields = {
  tls: tls.optional().describe('Certificates: whom to trust, and a certificate of Weir’s own (mutual TLS).'),
  http2: z
    .boolean()
    .optional()
    .describe(
      'Offers HTTP/2 where TLS is spoken; an API that does not know it gets HTTP/1.1. Default: the pool’s.',
    ),
  pool: z
    .union([z.enum(Object.keys(poolPresets) as [PoolPreset, ...PoolPreset[]]), limits])
    .default('standard')
    .describe(
      `How many connections there may be: the name of a preset (${Object.entries(poolPresets).map(describePreset).join('; ')}), or numbers of your own.`,
    ),
}

const transport = z.strictObject(transportFields)

/** The same as egress takes it. */
export function readTransport({ tls, http2, pool }: z.infer<typeof transport>): ClientOptions {
  return {
    ...dropUndefined(typeof pool === 'string' ? { preset: pool } : pool),
    ...(http2 === undefined ? {} : { http2 }),
    ...(tls === undefined ? {} : { tls: dropUndefined(tls) }),
  }
}

function describePreset([name, preset]: readonly [string, (typeof poolPresets)[PoolPreset]]): string {
  const { connectionsMax, connectionsPerOrigin, idleTimeoutMs, http2 } = preset
  return `\`${name}\`: ${connectionsMax}, ${connectionsPerOrigin} an origin, kept ${idleTimeoutMs / 1_000} s${http2 ? ', HTTP/2' : ''}`
}

/** An optional key that is there and undefined is not what egress means by absent. */
function dropUndefined<T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> }
}
