import { z } from 'zod'
import type { Tool } from '../../core/tool.ts'
import { regionField } from '../shared/aws/aws-access-config.ts'
import { createAllowList } from '../shared/cloud/allow-list.ts'
import type { AwsClients } from './aws-clients.ts'
import type { AwsConfig } from './aws-config.ts'
import { messageAttributesField, toMessageAttributes } from './message-attributes.ts'

const output = z.strictObject({
  success: z.literal(true).describe('True: it was published.'),
  message_id: z.string().describe('The id that SNS gave it.'),
  sequence_number: z.string().optional().describe('Its place in a FIFO topic.'),
})

function createInput() {
  const fifo = z.string().regex(/^[!-~]{1,128}$/)
  return z.strictObject({
    topic_arn: z
      .string()
      .regex(/^arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:[\w.-]{1,256}$/)
      .describe('ARN of the topic.'),
    message: z.string().min(1).max(262_144).describe('The message.'),
    subject: z
      .string()
      .regex(/^[ -~]{1,100}$/)
      .optional()
      .describe('Subject, for subscribers by e-mail.'),
    attributes: messageAttributesField.optional(),
    group_id: fifo.optional().describe('FIFO topics: messages of one group stay in order.'),
    deduplication_id: fifo
      .optional()
      .describe('FIFO topics: sent twice within five minutes, it is sent once.'),
    region: regionField.optional().describe('AWS region. Default: the topic’s own.'),
  })
}

/** The tool `sns_publish`. Topics alone: a phone number would let a caller spend money anywhere. */
export function createSnsPublish(
  clients: AwsClients,
  { region: own }: AwsConfig,
  { topics }: NonNullable<AwsConfig['sns']>,
): Tool {
  const allowed = createAllowList('topic', 'sns.topics', topics)
  const input = createInput()
  const tool: Tool<z.input<typeof input>> = {
    kind: 'tool',
    name: 'sns_publish',
    title: 'Publish to a topic',
    description: 'Publishes a message to a topic of Amazon SNS.',
    effect: 'write',
    input,
    output,
    async run({ topic_arn: arn, region = arn.split(':')[3] ?? own, ...given }, context) {
      allowed(arn)
      const { message, subject, attributes, group_id: group, deduplication_id: deduplication } = given
      const request = {
        TopicArn: arn,
        Message: message,
        ...(subject === undefined ? {} : { Subject: subject }),
        ...(attributes === undefined ? {} : { MessageAttributes: toMessageAttributes(attributes) }),
        ...(group === undefined ? {} : { MessageGroupId: group }),
        ...(deduplication === undefined ? {} : { MessageDeduplicationId: deduplication }),
      }
      const sent = await clients.send('sns', region, context, (client, options) =>
        client.publish(request, options),
      )
      const { MessageId = '', SequenceNumber } = sent
      const sequence = SequenceNumber === undefined ? {} : { sequence_number: SequenceNumber }
      return { structuredContent: { success: true, message_id: MessageId, ...sequence } }
    },
  }
  return tool as Tool
}
