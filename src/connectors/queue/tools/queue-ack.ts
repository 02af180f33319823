import { z } from 'zod'
import type { Tool } from '../../../core/tool.ts'
import type { Brokers } from '../brokers.ts'
import { connectionField, leaseField, queueNameField, renderOwner } from './fields.ts'

const input = z.strictObject({ queue_name: queueNameField, lease: leaseField, connection: connectionField })

const output = z.strictObject({
  success: z.literal(true).describe('The message is done with, and never delivered again.'),
  queue: z.string().describe('The queue’s name.'),
})

/** B-21. A second time answers LEASE_LOST, as it does for a lease of somebody else (S5). */
export function createQueueAck(brokers: Brokers): Tool<z.input<typeof input>> {
  return {
    kind: 'tool',
    name: 'queue_ack',
    title: 'Acknowledge a message',
    description: 'Ends a received message for good, once its work is done.',
    effect: 'write',
    input,
    output,
    async run({ queue_name: queue, lease, connection }, { stop, caller }) {
      const named = brokers.get(connection)
      named.requireQueue(queue, 'receive')
      await named.broker.ack({ queue, lease, owner: renderOwner(caller) }, stop)
      return { structuredContent: { success: true, queue } }
    },
  }
}
