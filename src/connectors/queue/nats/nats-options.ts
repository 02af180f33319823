import { z } from 'zod'

/** What can be set for NATS alone. */
export const natsOptions = z.strictObject({
  declare: z
    .boolean()
    .default(true)
    .describe('Whether Weir makes the streams that it uses as queues. False: they must be there.'),
  replicas: z
    .int()
    .min(1)
    .max(5)
    .default(1)
    .describe('On how many servers each message of a stream lies that Weir makes.'),
  queueMessagesMax: z
    .int()
    .min(1)
    .max(100_000_000)
    .default(100_000)
    .describe('How many messages a queue that Weir makes may hold. More are refused.'),
})

export type NatsOptions = z.infer<typeof natsOptions>
