import { z } from 'zod'
import { awsAccessFields } from '../../shared/aws/aws-access-config.ts'

/** What can be set for SQS alone. */
export const sqsOptions = z.strictObject({
  credentials: awsAccessFields.credentials,
  allowPrivate: awsAccessFields.allowPrivate,
  declare: z
    .boolean()
    .default(false)
    .describe(
      'Whether Weir creates the queues that it uses where they are not there, dead letters included.',
    ),
})

export type SqsOptions = z.infer<typeof sqsOptions>
