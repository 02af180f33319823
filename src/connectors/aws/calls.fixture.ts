import type { EgressOptions } from '../../egress/egress.ts'

/** Every service, with what `calls` need. */
export const services = {
  s3: {},
  dynamodb: {},
  lambda: {},
  sqs: { operations: ['send_message'] },
  sns: {},
  secrets: { allowValues: ['*'] },
}
/** A queue in us-east-1. */
export const queueUrl = 'https://sqs.us-east-1.amazonaws.com/000000000000/orders'
/** One call of each service. */
export const calls: readonly (readonly [tool: string, input: Record<string, unknown>])[] = [
  ['s3_operations', { operation: 'get', bucket: 'reports', key: 'k' }],
  ['s3_operations', { operation: 'list', bucket: 'reports' }],
  ['dynamodb_operations', { operation: 'scan', table_name: 'orders' }],
  ['lambda_invoke', { function_name: 'add' }],
  ['sqs_operations', { operation: 'send_message', queue_url: queueUrl, message_body: 'x' }],
  ['sns_publish', { topic_arn: 'arn:aws:sns:us-east-1:000000000000:events', message: 'x' }],
  ['secrets_get', { name: 'db' }],
]

/** Knows no name and remembers which were asked for: no test asks a real name server, and none reaches AWS. */
export function createDeafLookup() {
  const asked: string[] = []
  const lookup = ((name: string, _: unknown, callback: (error: Error) => void) => {
    asked.push(name)
    callback(Object.assign(new Error(name), { code: 'ENOTFOUND' }))
  }) as unknown as NonNullable<EgressOptions['lookup']>
  return { asked, lookup }
}
