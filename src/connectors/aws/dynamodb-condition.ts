import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { z } from 'zod'
import { WeirError } from '../../core/error.ts'
import { toAttributes } from './attribute-values.ts'

const expression = z.string().min(1).max(4_096)
const values = z.record(z.string(), z.unknown())

/**
 * The arguments of DynamoDB's API that a call may set (B-17). What decides which table, which account or what is charged
 * is not among them.
 */
export const conditionField = z
  .strictObject({
    KeyConditionExpression: expression
      .optional()
      .describe('query: which keys, such as `pk = :pk AND sk > :sk`.'),
    FilterExpression: expression
      .optional()
      .describe('query, scan: which of the items read are answered with.'),
    ProjectionExpression: expression.optional().describe('get_item, query, scan: which attributes.'),
    ConditionExpression: expression
      .optional()
      .describe('put_item: what must hold of the item there, such as `attribute_not_exists(pk)`.'),
    ExpressionAttributeNames: z
      .record(z.string(), z.string())
      .optional()
      .describe('Attribute names by placeholder: {"#s": "status"}.'),
    ExpressionAttributeValues: values
      .optional()
      .describe('Values by placeholder, as JSON like `item`: {":pk": "a"}.'),
    IndexName: z
      .string()
      .min(1)
      .max(255)
      .optional()
      .describe('query, scan: a secondary index instead of the table.'),
    Select: z
      .enum(['ALL_ATTRIBUTES', 'ALL_PROJECTED_ATTRIBUTES', 'SPECIFIC_ATTRIBUTES', 'COUNT'])
      .optional()
      .describe('query, scan: what is answered with; COUNT for `count` alone.'),
    Limit: z
      .int()
      .min(1)
      .max(100_000)
      .optional()
      .describe(
        'query, scan: the most items that are read, in one request. Default: as many as the connection allows.',
      ),
    ScanIndexForward: z.boolean().optional().describe('query: false for descending order.'),
    ExclusiveStartKey: values
      .optional()
      .describe('query, scan: the `last_evaluated_key` of an earlier answer, to go on after it.'),
    ConsistentRead: z
      .boolean()
      .optional()
      .describe('get_item, query, scan: true for a strongly consistent read.'),
  })
  .describe('Further arguments of DynamoDB’s own API; those that the operation takes.')

/** What a call gives as `condition`. */
export type Condition = z.output<typeof conditionField>

type Name = keyof Condition
const reading = [
  'FilterExpression',
  'ProjectionExpression',
  'ExpressionAttributeNames',
  'ExpressionAttributeValues',
  'IndexName',
  'Select',
  'Limit',
  'ExclusiveStartKey',
  'ConsistentRead',
] as const satisfies readonly Name[]

const taken: Readonly<Record<string, readonly Name[]>> = {
  get_item: ['ProjectionExpression', 'ExpressionAttributeNames', 'ConsistentRead'],
  put_item: ['ConditionExpression', 'ExpressionAttributeNames', 'ExpressionAttributeValues'],
  query: ['KeyConditionExpression', 'ScanIndexForward', ...reading],
  scan: reading,
}

/** Those in which JSON stands for attribute values. */
type ValueName = 'ExpressionAttributeValues' | 'ExclusiveStartKey'

/** A condition as the SDK takes it. */
export type Arguments = Omit<Condition, ValueName> & {
  readonly [K in ValueName]?: Record<string, AttributeValue>
}

/** Throws INVALID_INPUT that names what this operation does not take. */
export async function readCondition(operation: string, condition: Condition = {}): Promise<Arguments> {
  const names: readonly string[] = taken[operation] ?? []
  const foreign = Object.keys(condition).filter((name) => !names.includes(name))
  if (foreign.length > 0) {
    throw new WeirError('INVALID_INPUT', `${operation} takes no condition ${foreign.join(' and no ')}.`, {
      hint: `Use ${names.join(', ')}.`,
      data: { refused: foreign, known: names, sent: false },
    })
  }
  const { ExpressionAttributeValues: given, ExclusiveStartKey: start, ...rest } = condition
  return {
    ...rest,
    ...(given === undefined
      ? {}
      : { ExpressionAttributeValues: await toAttributes(given, 'condition.ExpressionAttributeValues') }),
    ...(start === undefined
      ? {}
      : { ExclusiveStartKey: await toAttributes(start, 'condition.ExclusiveStartKey') }),
  }
}
