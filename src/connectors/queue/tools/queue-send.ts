import { z } from 'zod'
import { systemClock } from '../../../core/clock.ts'
import type { Tool } from '../../../core/tool.ts'
import type { Brokers } from '../brokers.ts'
import { createEnvelope } from '../envelope.ts'
import { connectionField, delayField, queueNameField, toDelayMs } from './fields.ts'

const input = z.strictObject({
  queue_name: queueNameField,
  message: z.record(z.string(), z.unknown()).describe('What to send: any JSON object.'),
  connection: connectionField,
  priority: z
    .int()
    .min(0)
    .max(9)
    .default(0)
    .describe(
      'Messages of a higher priority are received first; those of one priority in the order they were sent.',
    ),
  delay: delayField.describe('Seconds until the message may be received.'),
})

const output = z.strictObject({
  success: z.literal(true).describe('The broker has the message.'),
  message_id: z.string().describe('The message’s id, a UUID. Its receiver sees the same.'),
  queue: z.string().describe('The queue’s name.'),
  delayed: z.boolean().describe('Whether the message waits for its time first.'),
})

/** D0-073 to D0-077. */
export function createQueueSend(brokers: Brokers): Tool<z.input<typeof input>> {
  return {
    kind: 'tool',
    name: 'queue_send',
    title: 'Send a message',
    description:
      'Puts one message into a queue. Somebody who receives from the queue gets it, once they ask.',
    effect: 'write',
    input,
    output,
    async run({ queue_name: queue, message, connection, priority = 0, delay = 0 }, { stop }) {
      const named = brokers.get(connection)
      const { capabilities, broker } = named
      const delayMs = toDelayMs(delay)
      named.requireQueue(queue, 'send')
      if (priority > 0) {
        named.requireFeature(capabilities.priorityMax > 0, 'priorities')
        named.requireFeature(
          priority <= capabilities.priorityMax,
          `priority above ${capabilities.priorityMax}`,
        )
      }
      named.requireDelay(delayMs, capabilities.delayMsMax, 'delay')
      const envelope = createEnvelope(message, priority, systemClock.now())
      const body = JSON.stringify(envelope)
      named.requireSize(body)
      await broker.send(queue, { id: envelope.id, body, priority, delayMs }, stop)
      return { structuredContent: { success: true, message_id: envelope.id, queue, delayed: delayMs > 0 } }
    },
  }
}
