import type { AttributeValue, QueryCommandInput, ScanCommandInput } from '@aws-sdk/client-dynamodb'
import { z } from 'zod'
import type { Tool } from '../../core/tool.ts'
import { createAllowList } from '../shared/cloud/allow-list.ts'
import { createOperationTool, operationsOn } from '../shared/cloud/operation-tool.ts'
import { messageField, successField } from '../shared/cloud/tool-fields.ts'
import { fromAttributes, toAttributes } from './attribute-values.ts'
import type { AwsClients } from './aws-clients.ts'
import type { AwsConfig } from './aws-config.ts'
import { type Condition, conditionField, readCondition } from './dynamodb-condition.ts'
import { type Answer, type Page, readPages } from './read-pages.ts'
import { createRegionField } from './tool-fields.ts'

const jsonForms =
  'Bytes are {"$bytes": base64}, sets {"$set": [...]}, numbers that JSON would round {"$number": "..."}.'
const json = z.record(z.string(), z.unknown())

const output = z.strictObject({
  item: json.optional().describe(`get_item: the item, {} where there is none. ${jsonForms}`),
  items: z.array(json).optional().describe(`query, scan: the items. ${jsonForms}`),
  count: z.int().optional().describe('query, scan: how many items there are in this answer.'),
  truncated: z.boolean().optional().describe('query, scan: true where there may be more.'),
  last_evaluated_key: json
    .optional()
    .describe('query, scan: give it as `condition.ExclusiveStartKey` to go on after these.'),
  success: successField,
  message: messageField,
})

function createFields(region: string) {
  return {
    // A name and nothing else: an ARN would reach into other accounts.
    table_name: z
      .string()
      .regex(/^[\w.-]{3,255}$/)
      .describe('Name of the table.'),
    key: json.describe(`get_item: the key’s attributes. ${jsonForms}`),
    item: json.describe(`put_item: the whole item. ${jsonForms}`),
    condition: conditionField,
    region: createRegionField(region),
  }
}

type Dynamodb = NonNullable<AwsConfig['dynamodb']>

/** The tool `dynamodb_operations` (D0-056, D0-057). */
export function createDynamodbOperations(clients: AwsClients, config: AwsConfig, dynamodb: Dynamodb): Tool {
  const fields = createFields(config.region)
  return createOperationTool({
    name: 'dynamodb_operations',
    title: 'DynamoDB items',
    description: 'Works with items in Amazon DynamoDB, as plain JSON. Operations:',
    fields,
    operations: {
      ...createItemOperations(fields, clients, config.region, dynamodb),
      ...createSearches(fields, clients, config.region, dynamodb),
    },
    allowed: dynamodb.operations,
    output,
  }) as Tool
}

function createItemOperations(
  fields: ReturnType<typeof createFields>,
  clients: AwsClients,
  own: string,
  { tables }: Dynamodb,
) {
  const define = operationsOn(fields)
  const allowed = createAllowList('table', 'dynamodb.tables', tables)
  return {
    get_item: define({
      effect: 'read',
      summary: 'the item under `key`',
      required: ['table_name', 'key'],
      optional: ['condition', 'region'],
      async run({ table_name: table, key, condition, region = own }, context) {
        allowed(table)
        const request = {
          TableName: table,
          Key: await toAttributes(key, 'key'),
          ...(await readCondition('get_item', condition)),
        }
        const { Item = {} } = await clients.send('dynamodb', region, context, (client, options) =>
          client.getItem(request as Parameters<typeof client.getItem>[0], options),
        )
        return { item: await fromAttributes(Item) }
      },
    }),
    put_item: define({
      // What stood under the key before is gone.
      effect: 'destructive',
      summary: 'writes `item`, over the whole item under its key',
      required: ['table_name', 'item'],
      optional: ['condition', 'region'],
      async run({ table_name: table, item, condition, region = own }, context) {
        allowed(table)
        const request = {
          TableName: table,
          Item: await toAttributes(item, 'item'),
          ...(await readCondition('put_item', condition)),
        }
        await clients.send('dynamodb', region, context, (client, options) =>
          client.putItem(request as Parameters<typeof client.putItem>[0], options),
        )
        return { success: true, message: 'Item added to table' }
      },
    }),
  }
}

function createSearches(
  fields: ReturnType<typeof createFields>,
  clients: AwsClients,
  own: string,
  { tables, itemsMax }: Dynamodb,
) {
  const define = operationsOn(fields)
  const allowed = createAllowList('table', 'dynamodb.tables', tables)
  const search = (operation: 'query' | 'scan', summary: string) =>
    define({
      effect: 'read',
      summary,
      required: ['table_name'],
      optional: ['condition', 'region'],
      async run({ table_name: table, condition = {}, region = own }, context) {
        allowed(table)
        const request = { TableName: table, ...(await readCondition(operation, condition)) }
        const readPage = (limit: number, start: Record<string, AttributeValue> | undefined): Promise<Page> =>
          clients.send('dynamodb', region, context, (client, options) => {
            const from = start === undefined ? {} : { ExclusiveStartKey: start }
            const page = { ...request, Limit: limit, ...from } as ScanCommandInput & QueryCommandInput
            return operation === 'query' ? client.query(page, options) : client.scan(page, options)
          })
        return render(
          await readPages(readPage, itemsMax, condition.Limit, request.ExclusiveStartKey),
          condition,
        )
      },
    })
  return {
    query: search('query', 'the items that `condition.KeyConditionExpression` names'),
    scan: search(
      'scan',
      'all items, those that `condition.FilterExpression` takes alone; reads the whole table',
    ),
  }
}

async function render({ items, count, last }: Answer, { Select: select }: Condition) {
  return {
    items: select === 'COUNT' ? [] : items,
    count,
    truncated: last !== undefined,
    ...(last === undefined ? {} : { last_evaluated_key: await fromAttributes(last) }),
  }
}
