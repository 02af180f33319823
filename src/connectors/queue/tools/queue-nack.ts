import { z } from 'zod'
import type { Tool } from '../../../core/tool.ts'
import type { Brokers } from '../brokers.ts'
import { connectionField, delayField, leaseField, queueNameField, renderOwner, toDelayMs } from './fields.ts'

const input = z.strictObject({
  queue_name: queueNameField,
  lease: leaseField,
  connection: connectionField,
  requeue: z
    .boolean()
    .default(true)
    .describe(
      'True: deliver it again. False: it cannot be worked on, so put it into the queue of dead letters.',
    ),
  delay: delayField.describe('Seconds until it is delivered again.'),
})

const output = z.strictObject({
  success: z.literal(true).describe('The message is no longer leased.'),
  queue: z.string().describe('The queue’s name.'),
  outcome: z
    .enum(['requeued', 'delayed', 'dead-lettered'])
    .describe('Where it went: a message that had its last attempt goes to the dead letters.'),
})

/** B-21: gives a message back before its lease ends. */
export function createQueueNack(brokers: Brokers): Tool<z.input<typeof input>> {
  return {
    kind: 'tool',
    name: 'queue_nack',
    title: 'Give a message back',
    description:
      'Gives a received message back: to be delivered again, at once or later, or to the dead letters.',
    effect: 'write',
    input,
    output,
    async run({ queue_name: queue, lease, connection, requeue = true, delay = 0 }, { stop, caller }) {
      const named = brokers.get(connection)
      const { capabilities, broker } = named
      const delayMs = requeue ? toDelayMs(delay) : 0
      named.requireQueue(queue, 'receive')
      if (!requeue) named.requireFeature(capabilities.deadLetters, 'dead letters')
      named.requireDelay(delayMs, capabilities.returnDelayMsMax, 'delay of messages that are given back')
      const held = { queue, lease, owner: renderOwner(caller) }
      const outcome = await broker.nack(held, { requeue, delayMs }, stop)
      return { structuredContent: { success: true, queue, outcome } }
    },
  }
}
