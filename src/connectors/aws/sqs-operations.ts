import type { Message, SQS } from '@aws-sdk/client-sqs'
import { z } from 'zod'
import type { Tool } from '../../core/tool.ts'
import { regionField } from '../shared/aws/aws-access-config.ts'
import { createAllowList } from '../shared/cloud/allow-list.ts'
import type { Abortable } from '../shared/cloud/object-store.ts'
import { createOperationTool, operationsOn } from '../shared/cloud/operation-tool.ts'
import { messageField, successField } from '../shared/cloud/tool-fields.ts'
import type { AwsClients } from './aws-clients.ts'
import type { AwsConfig } from './aws-config.ts'
import { fromMessageAttributes, messageAttributesField, toMessageAttributes } from './message-attributes.ts'

const output = z.strictObject({
  success: successField,
  message: messageField,
  message_id: z.string().optional().describe('send_message: the id that SQS gave it.'),
  sequence_number: z.string().optional().describe('send_message: its place in a FIFO queue.'),
  messages: z
    .array(
      z.strictObject({
        message_id: z.string().describe('Its id.'),
        receipt_handle: z.string().describe('What delete_message needs.'),
        body: z.string().describe('The message.'),
        attributes: z.record(z.string(), z.unknown()).describe('Attributes beside the body.'),
        sent_at: z.string().optional().describe('When it was sent, ISO 8601.'),
        receive_count: z.int().optional().describe('How often it was received, this time included.'),
        group_id: z.string().optional().describe('Its group, in a FIFO queue.'),
      }),
    )
    .optional()
    .describe('receive_messages: the messages; they come again unless they are deleted in time.'),
  count: z.int().optional().describe('receive_messages: how many there are in this answer.'),
})

const fifo = z.string().regex(/^[!-~]{1,128}$/)

const fields = {
  queue_url: z
    .url({ protocol: /^https?$/ })
    .max(1_024)
    .describe('URL of the queue.'),
  message_body: z.string().min(1).max(1_048_576).describe('send_message: the message.'),
  attributes: messageAttributesField,
  delay_seconds: z.int().min(0).max(900).describe('send_message: how long nobody gets to see it.'),
  group_id: fifo.describe('send_message, FIFO queues: messages of one group stay in order.'),
  deduplication_id: fifo.describe(
    'send_message, FIFO queues: sent twice within five minutes, it is there once.',
  ),
  count: z.int().min(1).max(10).default(1).describe('receive_messages: the most messages.'),
  wait_seconds: z.int().min(0).max(20).default(0).describe('receive_messages: how long to wait for one.'),
  visibility_seconds: z
    .int()
    .min(0)
    .max(43_200)
    .describe('receive_messages: how long nobody else gets them. Default: the queue’s own.'),
  receipt_handle: z.string().min(1).max(2_048).describe('delete_message: from receive_messages.'),
  region: regionField.describe('AWS region. Default: the one in the queue’s URL, else the connection’s.'),
}

const define = operationsOn(fields)

/** The tool `sqs_operations` (D0-059, B-09). */
export function createSqsOperations(
  clients: AwsClients,
  { region: own }: AwsConfig,
  { queues, operations }: NonNullable<AwsConfig['sqs']>,
): Tool {
  const allowed = createAllowList('queue', 'sqs.queues', queues)
  const open: OpenQueue = (url, region = readRegion(url) ?? own) => {
    allowed(url, url.slice(url.lastIndexOf('/') + 1))
    return (context, request) => clients.send('sqs', region, context, request)
  }
  return createOperationTool({
    name: 'sqs_operations',
    title: 'SQS messages',
    description: 'Works with messages in Amazon SQS. Operations:',
    fields,
    operations: {
      send_message: createSend(open),
      receive_messages: createReceive(open),
      delete_message: createDelete(open),
    },
    allowed: operations,
    output,
  }) as Tool
}

/** Refuses a queue that is not allowed; gives the way to the region that it is in. */
type OpenQueue = (
  url: string,
  region: string | undefined,
) => <T>(
  context: Abortable,
  request: (client: SQS, options: { readonly abortSignal: AbortSignal }) => Promise<T>,
) => Promise<T>

function createSend(open: OpenQueue) {
  return define({
    effect: 'write',
    summary: 'sends `message_body`',
    required: ['queue_url', 'message_body'],
    optional: ['attributes', 'delay_seconds', 'group_id', 'deduplication_id', 'region'],
    async run(input, context) {
      const send = open(input.queue_url, input.region)
      const request = {
        QueueUrl: input.queue_url,
        MessageBody: input.message_body,
        ...optionalArguments({
          MessageAttributes: input.attributes && toMessageAttributes(input.attributes),
          DelaySeconds: input.delay_seconds,
          MessageGroupId: input.group_id,
          MessageDeduplicationId: input.deduplication_id,
        }),
      }
      const sent = await send(context, (client, options) => client.sendMessage(request, options))
      const { MessageId: message_id, SequenceNumber: sequence_number } = sent
      return { success: true, message: 'Message sent', ...optionalArguments({ message_id, sequence_number }) }
    },
  })
}

function createReceive(open: OpenQueue) {
  return define({
    // Nobody else gets to see them for a while, and each time is counted.
    effect: 'write',
    summary: 'up to `count` messages, which nobody else gets until their time is over',
    required: ['queue_url'],
    optional: ['count', 'wait_seconds', 'visibility_seconds', 'region'],
    async run(input, context) {
      const send = open(input.queue_url, input.region)
      const request = {
        QueueUrl: input.queue_url,
        MaxNumberOfMessages: input.count ?? 1,
        WaitTimeSeconds: input.wait_seconds ?? 0,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: systemAttributes,
        ...optionalArguments({ VisibilityTimeout: input.visibility_seconds }),
      }
      const { Messages } = await send(context, (client, options) => client.receiveMessage(request, options))
      const messages = (Messages ?? []).map(renderMessage)
      return { messages, count: messages.length }
    },
  })
}

function createDelete(open: OpenQueue) {
  return define({
    effect: 'destructive',
    summary: 'takes a message that was received out of the queue, by its `receipt_handle`',
    required: ['queue_url', 'receipt_handle'],
    optional: ['region'],
    async run({ queue_url: url, receipt_handle: handle, region }, context) {
      const send = open(url, region)
      await send(context, (client, options) =>
        client.deleteMessage({ QueueUrl: url, ReceiptHandle: handle }, options),
      )
      return { success: true, message: 'Message deleted' }
    },
  })
}

const systemAttributes: ('SentTimestamp' | 'ApproximateReceiveCount' | 'MessageGroupId')[] = [
  'SentTimestamp',
  'ApproximateReceiveCount',
  'MessageGroupId',
]

function readRegion(url: string): string | undefined {
  return /^https:\/\/sqs\.([a-z0-9-]+)\.amazonaws\.(?:com(?:\.cn)?|eu)\//.exec(url)?.[1]
}

function renderMessage({ MessageId, ReceiptHandle, Body, MessageAttributes, Attributes = {} }: Message) {
  const { SentTimestamp, ApproximateReceiveCount, MessageGroupId } = Attributes
  return {
    message_id: MessageId ?? '',
    receipt_handle: ReceiptHandle ?? '',
    body: Body ?? '',
    attributes: fromMessageAttributes(MessageAttributes ?? {}),
    ...optionalArguments({
      sent_at: SentTimestamp && new Date(Number(SentTimestamp)).toISOString(),
      receive_count: ApproximateReceiveCount && Number(ApproximateReceiveCount),
      group_id: MessageGroupId,
    }),
  }
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** Only those that are there: the SDK tells an absent argument from an undefined one. */
function optionalArguments<T extends object>(given: T): Defined<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Defined<T>
}
