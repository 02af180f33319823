import { z } from 'zod'
import { headersSchema } from '../../shared/headers-schema.ts'

/** Hard bound of one tool's schema (S17); what a model can use is far less. */
const schemaBytesHardMax = 256 * 1024

const globs = (what: string) =>
  z
    .array(z.string().min(1).max(500))
    .max(1_000)
    .nonempty()
    .optional()
    .describe(`${what} \`*\` stands for any characters.`)

function isFileOrUrl(source: string): boolean {
  if (!/^[a-z][a-z0-9+.-]+:/i.test(source)) return !source.includes('\0')
  const url = URL.parse(source)
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
}

/** Where an API's OpenAPI document is, and which of its operations become tools. */
export const openapiConfig = z.strictObject({
  source: z
    .string()
    .min(1)
    .max(4_096)
    .refine(isFileOrUrl, 'must be a file, or an http or https URL without credentials')
    .describe(
      'The document, OpenAPI 3.0 or 3.1 in JSON or YAML: a file, relative to the config file, or a URL.',
    ),
  tags: globs('Only operations with one of these tags.'),
  paths: globs('Only operations whose path fits one of these, such as `/pets/*`.'),
  operations: globs(
    'Only operations whose operationId, or method and path (`GET /pets`), fits one of these.',
  ),
  exclude: globs('Not the operations whose operationId, path, or method and path fits one of these.'),
  prefix: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,30}$/, 'must be lower-case letters, digits and `_`, at most 31')
    .optional()
    .describe('What the names of the tools begin with, before a `_`.'),
  toolsMax: z
    .int()
    .min(1)
    .max(10_000)
    .default(200)
    .describe('Most operations that may become tools. A document that has more must be narrowed.'),
  effects: z
    .record(z.string().min(1).max(500), z.enum(['read', 'idempotent-write', 'write', 'destructive']))
    .default({})
    .describe(
      'The effect of single operations, by operationId or method and path, where the method says it wrong. By method: GET and HEAD `read`, PUT `idempotent-write`, POST and PATCH `write`, DELETE `destructive`.',
    ),
  schemaBytesMax: z
    .int()
    .min(1_024)
    .max(schemaBytesHardMax)
    .default(32 * 1024)
    .describe('Largest input schema of one tool, in bytes of JSON. A larger one is told in less detail.'),
  validateAnswers: z
    .boolean()
    .default(false)
    .describe(
      'Whether successful answers must have the shape the document promises. They fail with INVALID_OUTPUT where they have not.',
    ),
  headers: headersSchema.describe(
    'Headers of the request for the document; the API’s credential does not go with it.',
  ),
  allowPrivate: z
    .union([z.boolean(), z.array(z.string())])
    .default(false)
    .describe(
      'Lets the document’s URL lie on this machine or a private network: true, or a list of host names, addresses and CIDR blocks.',
    ),
  timeoutMs: z
    .int()
    .min(1)
    .max(600_000)
    .default(30_000)
    .describe('Longest time that fetching the document may take, in milliseconds.'),
})

export type OpenapiConfig = z.output<typeof openapiConfig>
