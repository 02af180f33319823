import { z } from 'zod'

/** What can be set for RabbitMQ alone. */
export const rabbitmqOptions = z.strictObject({
  declare: z
    .boolean()
    .default(true)
    .describe(
      'Whether Weir declares the queues and exchanges that it uses. False: they must be there, and are used as they are.',
    ),
})

export type RabbitmqOptions = z.infer<typeof rabbitmqOptions>
