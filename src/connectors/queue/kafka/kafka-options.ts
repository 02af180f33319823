import { z } from 'zod'

/** What can be set for Kafka alone. */
export const kafkaOptions = z.strictObject({
  declare: z
    .boolean()
    .default(true)
    .describe('Whether topics come to be when they are first used, where the cluster allows that.'),
  group: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,200}$/)
    .default('weir')
    .describe(
      'Who receives: the consumer group of a queue is `<group>.<queue>`. Each group gets every message.',
    ),
  sasl: z
    .enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])
    .default('PLAIN')
    .describe('How the URL’s user and password are shown to Kafka.'),
  sessionMs: z
    .int()
    .min(6000)
    .max(300_000)
    .default(30_000)
    .describe('How long Kafka waits for a member of the group that is silent, in milliseconds.'),
  isOrdered: z
    .boolean()
    .default(true)
    .describe(
      'True: all messages of a queue go to one partition, so they keep their order, and one process receives them. False: they are spread.',
    ),
})

export type KafkaOptions = z.infer<typeof kafkaOptions>
