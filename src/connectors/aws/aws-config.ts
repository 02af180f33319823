import { z } from 'zod'
import { awsAccessFields, endpointField, regionField } from '../shared/aws/aws-access-config.ts'
import { objectStoreFields } from '../shared/cloud/object-store-config.ts'

const megabyte = 1024 * 1024
const endpoint = endpointField.describe(
  'Where this service is reached. Default: the connection’s `endpoint`, else AWS.',
)
const globs = (what: string) => z.array(z.string().min(1)).nonempty().default(['*']).describe(what)

const s3 = z
  .strictObject({
    buckets: globs('The buckets callers may use, as names or globs with `*`. All by default.'),
    ...objectStoreFields,
    pathStyle: z
      .boolean()
      .optional()
      .describe(
        'Whether the bucket stands in the path and not in the host name. Default: where an endpoint is set.',
      ),
    endpoint,
  })
  .optional()
  .describe('Offers `s3_operations`.')

const dynamodb = z
  .strictObject({
    tables: globs('The tables callers may use, as names or globs with `*`. All by default.'),
    operations: z
      .array(z.enum(['get_item', 'put_item', 'query', 'scan']))
      .nonempty()
      .default(['get_item', 'query', 'scan'])
      .describe('What callers may do. Reading alone by default.'),
    itemsMax: z
      .int()
      .min(1)
      .max(100_000)
      .default(1_000)
      .describe('The most items that one query or scan answers with.'),
    endpoint,
  })
  .optional()
  .describe('Offers `dynamodb_operations`.')

const lambda = z
  .strictObject({
    functions: globs(
      'The functions callers may invoke, as globs with `*` over the name as it is called by (a name or an ARN). All by default.',
    ),
    timeoutMs: z
      .int()
      .min(1)
      .max(900_000)
      .default(30_000)
      .describe('Longest time that one invocation may take, in milliseconds.'),
    responseBytesMax: z
      .int()
      .min(1)
      .max(16 * megabyte)
      .default(megabyte)
      .describe('The largest answer of a function, in bytes.'),
    endpoint,
  })
  .optional()
  .describe('Offers `lambda_invoke`.')

const sqs = z
  .strictObject({
    queues: globs(
      'The queues callers may use, as globs with `*` over the queue’s URL, or over its name alone, whichever account it is of. All by default.',
    ),
    operations: z
      .array(z.enum(['send_message', 'receive_messages', 'delete_message']))
      .nonempty()
      .describe('What callers may do. Even receiving changes a queue, so it has to be said.'),
    endpoint,
  })
  .optional()
  .describe('Offers `sqs_operations`.')

const sns = z
  .strictObject({
    topics: globs(
      'The topics callers may publish to, as globs with `*` over the topic’s ARN. All by default.',
    ),
    endpoint,
  })
  .optional()
  .describe('Offers `sns_publish`.')

const secrets = z
  .strictObject({
    names: globs('The secrets whose names callers may see, as names or globs with `*`. All by default.'),
    allowValues: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'The secrets whose values callers may read too, as names or globs with `*`. None by default.',
      ),
    endpoint,
  })
  .optional()
  .describe('Offers `secrets_get`.')

const services = { s3, dynamodb, lambda, sqs, sns, secrets }

/** The services a connection may offer, by the keys of its config. */
export const serviceKeys = Object.keys(services) as readonly (keyof typeof services)[]

/** The config of one `aws` connection: where, as whom, and which services. What is not named is not offered. */
export const awsConfig = z
  .strictObject({
    ...awsAccessFields,
    regions: z
      .array(regionField.or(z.string().regex(/^[a-z0-9*-]+$/)))
      .nonempty()
      .default(['*'])
      .describe('The regions that calls may name, as names or globs with `*`. All by default.'),
    ...services,
  })
  .refine((config) => serviceKeys.some((key) => config[key] !== undefined), {
    path: ['s3'],
    message: `name at least one service: ${serviceKeys.join(', ')}`,
  })

export type AwsConfig = z.output<typeof awsConfig>
