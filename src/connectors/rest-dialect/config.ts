import { z } from 'zod'
import { headersSchema } from '../shared/headers-schema.ts'
import { nameCharsMax } from './definition.ts'

const filesMax = 100

const url = z.url({ protocol: /^https?$/ }).refine((text) => {
  const parsed = URL.parse(text)
  return (
    parsed !== null &&
    parsed.username === '' &&
    parsed.password === '' &&
    parsed.search === '' &&
    parsed.hash === ''
  )
}, 'must hold neither credentials nor a query nor a fragment')

/** One server that speaks the REST dialect. */
export const restDialectConfig = z
  .strictObject({
    url: url.describe('Where the server lives; `/mcp/discover` and `/mcp/execute` are below it.'),
    headers: headersSchema.describe('Headers of every request; credentials belong here.'),
    allowPrivate: z
      .union([z.boolean(), z.array(z.string())])
      .default(false)
      .describe(
        'Whether `url` may lie on loopback or in a private network; a list names the hosts or CIDR blocks that may.',
      ),
    timeout: z
      .int()
      .min(1)
      .max(86_400_000)
      .default(30_000)
      .describe('Longest time one call may take, in milliseconds.'),
    discover: z
      .boolean()
      .default(true)
      .describe('Whether the server is asked for its tools. False: it has those of `definitions` alone.'),
    discoverTimeout: z
      .int()
      .min(1)
      .max(600_000)
      .default(10_000)
      .describe('Longest time that asking for them may take, in milliseconds.'),
    interval: z
      .int()
      .min(1_000)
      .max(86_400_000)
      .default(300_000)
      .describe('How long after one asking the next begins, in milliseconds.'),
    serverName: z
      .string()
      .min(1)
      .max(nameCharsMax)
      .optional()
      .describe(
        'The `server_name` that the server must claim. Default: the one it claims first, which it may then not change.',
      ),
    definitions: z
      .array(z.string().min(1))
      .max(filesMax)
      .default([])
      .describe(
        'JSON files, relative to the config file, that define tools of the server. Each holds one definition or a list of them. They go before what the server says of a tool of the same name.',
      ),
  })
  .superRefine((config, context) => {
    if (config.discover || config.definitions.length > 0) return
    const message = 'a server that is not asked for its tools needs files that define them'
    context.addIssue({ code: 'custom', path: ['definitions'], message })
  })

export type RestDialectConfig = z.output<typeof restDialectConfig>
