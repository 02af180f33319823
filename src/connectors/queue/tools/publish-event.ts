import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Tool } from '../../../core/tool.ts'
import type { Brokers } from '../brokers.ts'
import { connectionField } from './fields.ts'

const name = z.string().regex(/^[\x21-\x7e]{1,200}$/)

const input = z.strictObject({
  topic: name.describe('The topic, exchange or subject: 1 to 200 printable ASCII characters without spaces.'),
  event: z.record(z.string(), z.unknown()).describe('What happened: any JSON object.'),
  connection: connectionField,
  routing_key: name.optional().describe('What subscribers select by, where the broker knows such keys.'),
})

const output = z.strictObject({
  success: z.literal(true).describe('The broker has the event.'),
  event_id: z.string().describe('The event’s id, as the broker has it.'),
  topic: z.string().describe('The topic’s name.'),
})

/** D0-079, D0-091. */
export function createPublishEvent(brokers: Brokers): Tool<z.input<typeof input>> {
  return {
    kind: 'tool',
    name: 'publish_event',
    title: 'Publish an event',
    description: 'Tells everybody who follows a topic that something happened.',
    effect: 'write',
    input,
    output,
    async run({ topic, event, connection, routing_key: routingKey }, { stop }) {
      const named = brokers.get(connection)
      named.requireTopic(topic)
      named.requireFeature(named.capabilities.events, 'events')
      if (routingKey !== undefined) named.requireFeature(named.capabilities.routingKeys, 'routing keys')
      const body = JSON.stringify(event)
      named.requireSize(body)
      const outgoing = { id: randomUUID(), body, ...(routingKey === undefined ? {} : { routingKey }) }
      const event_id = await named.broker.publish(topic, outgoing, stop)
      return { structuredContent: { success: true, event_id, topic } }
    },
  }
}
