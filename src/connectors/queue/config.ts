import { z } from 'zod'
import type { BrokerConfig } from './broker.ts'
import { brokerKinds, findBrokerKind, problemOfUrl } from './broker-kinds.ts'

const url = z
  .string()
  .describe(
    `Where the broker is; its scheme says which kind it is: ${brokerKinds.flatMap(({ schemes }) => schemes).join(', ')}.`,
  )
  .superRefine((value, context) => {
    const problem = problemOfUrl(value)
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
  })

const pem = z.string().min(1)
const tls = z.strictObject({
  ca: pem.optional().describe('Certificates to trust in place of the system’s, PEM.'),
  cert: pem.optional().describe('The certificate that Weir shows, PEM.'),
  key: pem.optional().describe('Its private key, PEM.'),
  serverName: z
    .string()
    .min(1)
    .optional()
    .describe('The name in the broker’s certificate, if not that of the URL.'),
})

const names = z.array(z.string().min(1).max(200)).nonempty()

const broker = z.strictObject({
  url,
  tls: tls.optional().describe('What TLS is made with, where the URL’s scheme says that it is used.'),
  send: z.boolean().default(true).describe('Whether queue_send and publish_event may use it.'),
  receive: z.boolean().default(true).describe('Whether queue_receive, queue_ack and queue_nack may use it.'),
  queues: names
    .optional()
    .describe('The queues that callers may name, with `*` for any characters. All by default.'),
  topics: names
    .optional()
    .describe('The topics that callers may publish to, with `*` for any characters. All by default.'),
  leaseMs: z
    .int()
    .min(100)
    .max(43_200_000)
    .default(30_000)
    .describe(
      'How long a received message is its receiver’s alone. Then it is delivered again. In milliseconds.',
    ),
  attemptsMax: z
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .describe('How often a message is delivered before it goes to the dead letters.'),
  deadLetter: z
    .string()
    .regex(/^[^{}\s]*\{queue\}[^{}\s]*$/, 'must hold `{queue}` once')
    .refine((name) => name !== '{queue}', 'must be another name than the queue’s own')
    .default('{queue}:dead')
    .describe('The name of the queue of dead letters. `{queue}` stands for the queue’s own name.'),
  messageBytesMax: z
    .int()
    .min(256)
    .max(4 * 1024 * 1024)
    .default(256 * 1024)
    .describe('The largest message or event, as JSON with its envelope, in bytes.'),
})

const kindOptions: Readonly<Record<string, z.ZodType>> = Object.fromEntries(
  brokerKinds.flatMap(({ key, title, options }) =>
    options === undefined ? [] : [[key, options.optional().describe(`What can be set for ${title} alone.`)]],
  ),
)
// Which kinds there are is data, so the type does not tell of their options; each kind parses its own.
const brokerOfAnyKind = broker
  .extend(kindOptions)
  .superRefine(refuseIdleOptions)
  .superRefine(requireOptions) as unknown as typeof broker

/** The config of one `queue` connection: its named brokers (D0-072). */
export const queueConfig = z.strictObject({
  brokers: z
    .record(
      z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'a letter, then letters, digits, `_` and `-`'),
      brokerOfAnyKind.describe('One broker.'),
    )
    .refine((brokers) => Object.keys(brokers).length > 0, 'at least one broker')
    .describe('The brokers by the name that tools call them by, as `connection`.'),
})

export type QueueConfig = z.infer<typeof queueConfig>

/** One broker's config with its defaults. */
export type NamedBrokerConfig = z.infer<typeof broker>

/** What the broker's own kind gets of it. */
export function renderBrokerConfig(config: NamedBrokerConfig): BrokerConfig {
  const { key, options } = findBrokerKind(config.url)!
  const given: Readonly<Record<string, unknown>> = config
  return { ...config, options: options?.parse(given[key] ?? {}) }
}

/** What would be set in vain: options of another kind than the URL's, and certificates where there is no TLS. */
function refuseIdleOptions(config: Readonly<Record<string, unknown>>, context: z.RefinementCtx): void {
  const url = String(config['url'])
  const own = findBrokerKind(url)
  for (const { key, title } of brokerKinds) {
    if (key === own?.key || config[key] === undefined) continue
    context.addIssue({ code: 'custom', path: [key], message: `the URL is not that of ${title}` })
  }
  if (config['tls'] === undefined || own?.isSecure?.(url) !== false) return
  context.addIssue({ code: 'custom', path: ['tls'], message: 'the URL’s scheme is one without TLS' })
}

/** What the URL's kind cannot do without, where nothing is set for it. */
function requireOptions(config: Readonly<Record<string, unknown>>, context: z.RefinementCtx): void {
  const own = findBrokerKind(String(config['url']))
  if (own === undefined || config[own.key] !== undefined) return
  for (const { path, message } of own.options?.safeParse({}).error?.issues ?? []) {
    context.addIssue({ code: 'custom', path: [own.key, ...path], message })
  }
}
