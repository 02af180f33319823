import { z } from 'zod'

/** What can be set for Redis alone. */
export const redisOptions = z.strictObject({
  queueMessagesMax: z
    .int()
    .min(1)
    .max(100_000_000)
    .default(100_000)
    .describe(
      'How many messages of one priority may wait in a queue, and how many delayed ones. More are refused.',
    ),
  eventsMax: z
    .int()
    .min(1)
    .max(100_000_000)
    .default(10_000)
    .describe('About how many events a topic keeps; the oldest go first.'),
})

export type RedisOptions = z.infer<typeof redisOptions>
