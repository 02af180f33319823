import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CreateTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import dynalite from 'dynalite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Connection } from '../../core/connector.ts'
import { callTool, createAwsWorld, failure, keys } from './fixtures/aws-world.fixture.ts'

const world = createAwsWorld()
const operations = ['get_item', 'put_item', 'query', 'scan']
let server: Server
let endpoint: string
let direct: DynamoDBClient
let connection: Connection

const createTable = (TableName: string) =>
  direct.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'N' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  )

beforeAll(async () => {
  server = dynalite({ createTableMs: 0 })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  direct = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials: { ...keys } })
  await createTable('orders')
  await createTable('many')
  connection = await world.open({ dynamodb: { endpoint, operations } })
})
afterAll(async () => {
  await world.close()
  direct.destroy()
  server.closeAllConnections()
  server.close()
})

const dynamodb = (operation: string, input: object = {}, from = connection) =>
  callTool(from, 'dynamodb_operations', { operation, table_name: 'orders', ...input })
const put = (item: object, condition?: object) =>
  dynamodb('put_item', condition === undefined ? { item } : { item, condition })
const get = (sk: number, condition?: object) =>
  dynamodb('get_item', { key: { pk: 'a', sk }, ...(condition === undefined ? {} : { condition }) })

describe('dynamodb_operations', () => {
  it('D0-056, D0-057: puts and gets plain JSON; a missing item is {}', async () => {
    const item = { pk: 'a', sk: 1, name: 'Ada', ok: true, none: null, list: [1, 'b', { c: [] }], empty: '' }
    expect(await put(item)).toEqual({ success: true, message: 'Item added to table' })
    expect(await get(1)).toEqual({ item })
    expect(await get(404)).toEqual({ item: {} })
  })

  it('reads and writes what JSON has no word for, without loss', async () => {
    const item = {
      pk: 'a',
      sk: 2,
      big: { $number: '12345678901234567890123456789012345678' },
      exact: { $number: '0.1234567890123456789' },
      small: 0.5,
      safe: Number.MAX_SAFE_INTEGER,
      bytes: { $bytes: 'AP8=' },
      words: { $set: ['a', 'b'] },
      numbers: { $set: [1, { $number: '9007199254740993' }] },
      blobs: { $set: [{ $bytes: 'AA==' }, { $bytes: '/w==' }] },
      deep: [{ inner: { $bytes: 'AQ==' } }],
    }
    await put(item)
    const raw = await direct.send(
      new GetItemCommand({ TableName: 'orders', Key: { pk: { S: 'a' }, sk: { N: '2' } } }),
    )
    expect(raw.Item).toMatchObject({
      big: { N: '12345678901234567890123456789012345678' },
      exact: { N: '0.1234567890123456789' },
      bytes: { B: new Uint8Array([0, 255]) },
      words: { SS: ['a', 'b'] },
      numbers: { NS: expect.arrayContaining(['1', '9007199254740993']) },
    })
    const { item: read } = (await get(2)) as { item: typeof item }
    const sorted = (set: { $set: unknown[] }) => set.$set.map((each) => JSON.stringify(each)).sort()
    expect(sorted(read.numbers)).toEqual(sorted(item.numbers))
    expect({ ...read, numbers: item.numbers }).toEqual(item)
    await put(read)
    expect(await get(2)).toEqual({ item: read })
  })

  it.each([
    [{ n: 2 ** 53 }, /too large to be exact/],
    [{ b: { $bytes: 'no base64!' } }, /item\.b is no base64/],
    [{ b: { $bytes: 1 } }, /is no base64/],
    [{ n: { $number: 'ten' } }, /is no number/],
    [{ s: { $set: [] } }, /set in item\.s/],
    [{ s: { $set: ['a', 1] } }, /set in item\.s/],
    [{ s: { $set: [null] } }, /set in item\.s/],
  ])('refuses to put %j', async (attributes, message) => {
    const error = await failure(put({ pk: 'a', sk: 3, ...attributes }))
    expect([error.code, message.test(error.message), error.data?.['sent']]).toEqual([
      'INVALID_INPUT',
      true,
      false,
    ])
    expect(await get(3)).toEqual({ item: {} })
  })

  it('B-17: takes the validated arguments of query and scan', async () => {
    for (const sk of [1, 2, 3])
      await dynamodb('put_item', { item: { pk: 'q', sk, status: sk === 2 ? 'new' : 'old' } })
    const query = (condition: object) => dynamodb('query', { condition })
    const own = { KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': 'q' } }
    expect(await query(own)).toMatchObject({ count: 3, truncated: false })
    expect(await query({ ...own, ScanIndexForward: false, Limit: 1 })).toMatchObject({
      items: [{ sk: 3 }],
      count: 1,
      truncated: true,
      last_evaluated_key: { pk: 'q', sk: 3 },
    })
    expect(
      await query({ ...own, ScanIndexForward: false, Limit: 1, ExclusiveStartKey: { pk: 'q', sk: 3 } }),
    ).toMatchObject({ items: [{ sk: 2 }] })
    expect(await query({ ...own, Select: 'COUNT' })).toEqual({ items: [], count: 3, truncated: false })
    const filter = {
      FilterExpression: '#s = :s',
      ExpressionAttributeNames: { '#s': 'status' },
      ExpressionAttributeValues: { ':s': 'new' },
    }
    expect(await dynamodb('scan', { condition: { ...filter, ConsistentRead: true } })).toMatchObject({
      items: [{ pk: 'q', sk: 2 }],
      count: 1,
    })
    expect(await get(1, { ProjectionExpression: 'pk' })).toEqual({ item: { pk: 'a' } })
  })

  it('B-17: a condition of put_item is held by the database', async () => {
    const error = await failure(
      put({ pk: 'a', sk: 1, name: 'Eve' }, { ConditionExpression: 'attribute_not_exists(pk)' }),
    )
    expect([error.code, error.data?.['error_code']]).toEqual([
      'CLOUD_ERROR',
      'ConditionalCheckFailedException',
    ])
    expect(await get(1)).toMatchObject({ item: { name: 'Ada' } })
  })

  it.each([
    ['scan', { KeyConditionExpression: 'pk = :pk' }, 'scan takes no condition KeyConditionExpression.'],
    ['get_item', { Limit: 1 }, 'get_item takes no condition Limit.'],
    ['query', { ConditionExpression: 'a = b' }, 'query takes no condition ConditionExpression.'],
  ])('B-17: %s refuses %j and names it', async (operation, condition, message) => {
    const more = operation === 'get_item' ? { key: { pk: 'a', sk: 1 } } : {}
    const error = await failure(dynamodb(operation, { condition, ...more }))
    expect([error.code, error.message]).toEqual(['INVALID_INPUT', message])
  })

  it.each([
    { TableName: 'many' },
    { ReturnConsumedCapacity: 'TOTAL' },
    { ExpectedBucketOwner: 'x' },
    { Segment: 0 },
  ])('B-17: an argument outside the subset is refused by the schema: %j', async (condition) => {
    await expect(dynamodb('scan', { condition })).rejects.toThrow(Object.keys(condition)[0]!)
  })

  it('B-16: query reads beyond the first page, up to its bound, and goes on from there', async () => {
    const text = 'x'.repeat(300_000)
    for (let sk = 0; sk < 9; sk += 1) {
      await direct.send(
        new PutItemCommand({
          TableName: 'many',
          Item: { pk: { S: 'm' }, sk: { N: `${sk}` }, text: { S: text } },
        }),
      )
    }
    const condition = {
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': 'm' },
      ProjectionExpression: 'sk',
    }
    const numbers = Array.from({ length: 9 }, (_, sk) => ({ sk }))
    const whole = await dynamodb('query', { table_name: 'many', condition })
    expect(whole).toEqual({ items: numbers, count: 9, truncated: false })
    const bounded = await world.open({ dynamodb: { endpoint, operations, itemsMax: 5 } })
    const first = await dynamodb('query', { table_name: 'many', condition }, bounded)
    expect(first).toMatchObject({ items: numbers.slice(0, 5), count: 5, truncated: true })
    const rest = { ...condition, ExclusiveStartKey: first['last_evaluated_key'] }
    expect(await dynamodb('query', { table_name: 'many', condition: rest }, bounded)).toMatchObject({
      items: numbers.slice(5),
      truncated: false,
    })
  })

  it('B-16: the size of an answer is bounded too', async () => {
    const text = 'x'.repeat(390_000)
    await createTable('heavy')
    for (let sk = 0; sk < 14; sk += 1) {
      await direct.send(
        new PutItemCommand({
          TableName: 'heavy',
          Item: { pk: { S: 'h' }, sk: { N: `${sk}` }, text: { S: text } },
        }),
      )
    }
    const answer = await dynamodb('scan', { table_name: 'heavy' })
    expect(answer['truncated']).toBe(true)
    expect(JSON.stringify(answer).length).toBeLessThan(5 * 1024 * 1024)
  })

  it.each([
    ['ResourceNotFoundException', 'scan', { table_name: 'nowhere' }],
    ['ValidationException', 'query', { condition: { KeyConditionExpression: 'nonsense' } }],
    ['ValidationException', 'get_item', { key: { wrong: 1 } }],
    ['ValidationException', 'put_item', { item: { pk: 'a' } }],
  ])('D0-060: %s of %s is an error with the provider’s code and words', async (code, operation, input) => {
    const error = await failure(dynamodb(operation, input))
    expect([error.code, error.data?.['error_code'], error.data?.['status']]).toEqual([
      'CLOUD_ERROR',
      code,
      400,
    ])
    expect(error.data?.['error']).not.toBe('')
    expect(error.message).toBe(`DynamoDB answered ${code}: ${error.data?.['error']}`)
  })
})
