import { z } from 'zod'
import { systemClock } from '../../../core/clock.ts'
import type { Tool } from '../../../core/tool.ts'
import type { Delivery } from '../broker.ts'
import type { Brokers } from '../brokers.ts'
import { parseEnvelope } from '../envelope.ts'
import { answerBytesMax, connectionField, queueNameField, renderOwner } from './fields.ts'

const timeoutSecondsMax = 60
/** What a call needs beside its wait. An answer must be on its way before the call's own deadline. */
const callOverheadMs = 5000
const deadlineMarginMs = 250

const input = z.strictObject({
  queue_name: queueNameField,
  connection: connectionField,
  count: z.int().min(1).max(100).default(1).describe('The most messages to receive.'),
  timeout: z
    .number()
    .min(0)
    .max(timeoutSecondsMax)
    .default(5)
    .describe('Seconds to wait for the first message, in all; 0 takes only what is there.'),
})

const output = z.strictObject({
  messages: z
    .array(
      z.strictObject({
        id: z
          .union([z.string(), z.null()])
          .describe('The message’s id, the same in each delivery; null where its sender gave it none.'),
        payload: z
          .unknown()
          .describe(
            'What was sent. Of programs that know no envelope: their JSON, text, or {"$bytes": "<base64>"}.',
          ),
        priority: z.number().describe('Its priority.'),
        timestamp: z
          .union([z.number(), z.null()])
          .describe(
            'When it was sent, in milliseconds since 1970 if Weir sent it; null if its sender did not say.',
          ),
        attempts: z.int().describe('How often it was delivered, this time included.'),
        lease: z.string().describe('Give it to queue_ack when the work is done, or to queue_nack.'),
      }),
    )
    .describe('The messages, the one to do first at the front. Each is yours alone while its lease lasts.'),
  count: z.int().describe('How many messages this answer holds.'),
  queue: z.string().describe('The queue’s name.'),
  lease_seconds: z.number().describe('How long the leases last. Then the messages are delivered again.'),
})

/** D0-078, B-21: a write, because it leases. Answers with what is there, and waits only where nothing is. */
export function createQueueReceive(brokers: Brokers): Tool<z.input<typeof input>> {
  return {
    kind: 'tool',
    name: 'queue_receive',
    title: 'Receive messages',
    description:
      'Leases the next messages of a queue. Call queue_ack for each when its work is done, or queue_nack; otherwise it is delivered again when its lease ends.',
    effect: 'write',
    input,
    output,
    timeoutMs: timeoutSecondsMax * 1000 + callOverheadMs,
    async run({ queue_name: queue, connection, count = 1, timeout = 5 }, { stop, deadlineMs, caller }) {
      const named = brokers.get(connection)
      named.requireQueue(queue, 'receive')
      const untilMs = Math.min(systemClock.monotonicMs() + timeout * 1000, deadlineMs - deadlineMarginMs)
      const owner = renderOwner(caller)
      const deliveries = await named.whileReceiving(() =>
        named.broker.receive({ queue, count, bytesMax: answerBytesMax, owner, untilMs, stop }),
      )
      const messages = deliveries.map(renderDelivery)
      const lease_seconds = named.config.leaseMs / 1000
      return { structuredContent: { messages, count: messages.length, queue, lease_seconds } }
    },
  }
}

function renderDelivery({ body, lease, attempts, priority, id }: Delivery): object {
  const read = parseEnvelope(body)
  return {
    id: read.id ?? id ?? null,
    payload: read.payload,
    priority: read.priority ?? priority,
    timestamp: read.timestamp ?? null,
    attempts,
    lease,
  }
}
