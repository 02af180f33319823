import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentLogger } from '../../core/logger.ts'
import { createEgress } from '../../egress/create-egress.ts'
import { compileJsonSchema } from '../../execution/json-schema-validator.ts'
import { describeConnector } from '../../testing/describe-connector.ts'
import { createAwsConnector } from './aws.ts'
import {
  callTool,
  createAwsWorld,
  failure,
  findTool,
  keys,
  schemaOf,
  secretKey,
} from './fixtures/aws-world.fixture.ts'
import { answerInvoke, type FakeAws, startFakeAws } from './fixtures/fake-aws.fixture.ts'

let fake: FakeAws
beforeAll(async () => {
  // A function never ends here; everything else is answered at once.
  fake = await startFakeAws(({ url }, response) => {
    if (!url.includes('/functions/')) response.end('{}')
  })
})
afterAll(() => fake.close())

const everything = {
  s3: { operations: ['list', 'get', 'put', 'delete'] },
  dynamodb: { operations: ['get_item', 'put_item', 'query', 'scan'] },
  lambda: {},
  sqs: { operations: ['send_message', 'receive_messages', 'delete_message'] },
  sns: {},
  secrets: {},
}
const config = (endpoint: string) => ({ credentials: keys, endpoint, allowPrivate: true, ...everything })

const egress = createEgress({ log: silentLogger })
afterAll(() => egress.close())

describeConnector(createAwsConnector({ egress, hostEnv: {} }), {
  config: () => config(fake.origin),
  deadConfig: () => config('http://127.0.0.1:1'),
  secret: secretKey,
  slowCall: { tool: 'lambda_invoke', input: { function_name: 'slow' } },
  badConfigs: [
    { config: {}, field: 'credentials' },
    { config: { credentials: keys }, field: 's3' },
    { config: { credentials: { secretAccessKey: secretKey }, s3: {} }, field: 'credentials' },
    { config: { credentials: { ...keys, profile: 'x' }, s3: {} }, field: 'credentials' },
    { config: { credentials: keys, s3: { bucket: 'a' } }, field: 's3.bucket' },
    { config: { credentials: keys, s3: { operations: ['drop'] } }, field: 's3.operations.0' },
    { config: { credentials: keys, sqs: {} }, field: 'sqs.operations' },
    { config: { credentials: keys, s3: {}, region: 'eu/../x' }, field: 'region' },
    { config: { credentials: keys, s3: {}, endpoint: 'http://u:p@x/' }, field: 'endpoint' },
  ],
})

describe('what a connection offers', () => {
  const world = createAwsWorld()
  afterAll(() => world.close())

  it('D0-050, D0-051, B-09: one tool for each service that is configured, listed and run from one table', async () => {
    const connection = await world.open({ ...everything, endpoint: fake.origin })
    expect(connection.targets().map(({ name }) => name)).toEqual([
      's3_operations',
      'dynamodb_operations',
      'lambda_invoke',
      'sqs_operations',
      'sns_publish',
      'secrets_get',
    ])
    expect((await world.open({ s3: {} })).targets().map(({ name }) => name)).toEqual(['s3_operations'])
  })

  it.each([
    [{ s3: {} }, 's3_operations', 'read', ['list', 'get']],
    [{ s3: { operations: ['put'] } }, 's3_operations', 'destructive', ['put']],
    [{ dynamodb: {} }, 'dynamodb_operations', 'read', ['get_item', 'query', 'scan']],
    [{ dynamodb: { operations: ['put_item'] } }, 'dynamodb_operations', 'destructive', ['put_item']],
    [{ sqs: { operations: ['send_message'] } }, 'sqs_operations', 'write', ['send_message']],
    [{ sqs: { operations: ['delete_message'] } }, 'sqs_operations', 'destructive', ['delete_message']],
  ])('B-16: %j offers what it allows alone, and the effect is the worst of that', async (given, name, effect, operations) => {
    const tool = findTool(await world.open(given), name)
    const { properties } = schemaOf(await world.open(given), name) as {
      properties: { operation: { enum: string[] } }
    }
    expect([tool.effect, properties.operation.enum]).toEqual([effect, operations])
  })

  it('D0-052, D0-056, D0-059: has the parameters of old under their names', async () => {
    const connection = await world.open(everything)
    const fields = (name: string) => Object.keys(schemaOf(connection, name)['properties'] as object)
    expect(fields('s3_operations')).toEqual(
      expect.arrayContaining(['operation', 'bucket', 'key', 'content', 'region']),
    )
    expect(fields('dynamodb_operations')).toEqual(
      expect.arrayContaining(['operation', 'table_name', 'key', 'item', 'condition', 'region']),
    )
    expect(fields('sqs_operations')).toEqual(
      expect.arrayContaining(['operation', 'queue_url', 'message_body', 'receipt_handle', 'region']),
    )
    expect(fields('lambda_invoke')).toEqual(['function_name', 'payload', 'invocation_type', 'region'])
    const { region } = schemaOf(connection, 's3_operations')['properties'] as { region: { default: string } }
    expect(region.default).toBe('us-east-1')
  })

  it.each([
    ['s3_operations', { operation: 'list', bucket: 'b-1' }, true],
    ['s3_operations', { operation: 'list' }, false],
    ['s3_operations', { operation: 'get', bucket: 'b-1' }, false],
    ['s3_operations', { operation: 'get', bucket: 'b-1', key: 'k' }, true],
    ['s3_operations', { operation: 'drop', bucket: 'b-1', key: 'k' }, false],
    ['s3_operations', { operation: 'list', bucket: 'b-1', acl: 'public-read' }, false],
    ['dynamodb_operations', { operation: 'put_item', table_name: 'abc' }, false],
    ['dynamodb_operations', { operation: 'scan', table_name: 'abc' }, true],
    [
      'dynamodb_operations',
      { operation: 'scan', table_name: 'abc', condition: { ReturnConsumedCapacity: 'TOTAL' } },
      false,
    ],
    ['sqs_operations', { operation: 'send_message', queue_url: 'http://q/1/q' }, false],
    ['sqs_operations', { operation: 'receive_messages', queue_url: 'http://q/1/q' }, true],
  ])('B-16: the schema of %s says of %j whether an operation has what it needs: %s', async (name, input, fits) => {
    const schema = schemaOf(await world.open(everything), name)
    // Makers of models refuse a tool that has one of these at the top.
    for (const keyword of ['oneOf', 'anyOf', 'allOf', 'not']) expect(schema).not.toHaveProperty(keyword)
    expect(compileJsonSchema(schema)(input).length === 0).toBe(fits)
  })

  it('B-16: names the fields that an operation lacks or does not take', async () => {
    const connection = await world.open(everything)
    const list = await failure(
      callTool(connection, 's3_operations', { operation: 'list', bucket: 'b-1', content: 'x' }),
    )
    expect([list.code, list.message]).toEqual(['INVALID_INPUT', 'list takes no content.'])
    const get = await failure(callTool(connection, 's3_operations', { operation: 'get', bucket: 'b-1' }))
    expect([get.code, get.message]).toEqual(['INVALID_INPUT', 'get needs key.'])
  })

  it.each([
    ['s3_operations', { operation: 'get', bucket: 'other', key: 'k' }, 's3.buckets'],
    ['dynamodb_operations', { operation: 'scan', table_name: 'other' }, 'dynamodb.tables'],
    ['lambda_invoke', { function_name: 'other:live' }, 'lambda.functions'],
    [
      'lambda_invoke',
      { function_name: 'arn:aws:lambda:eu-west-1:123456789012:function:mine-1' },
      'lambda.functions',
    ],
    [
      'sqs_operations',
      { operation: 'receive_messages', queue_url: 'http://127.0.0.1/1/other' },
      'sqs.queues',
    ],
    ['sns_publish', { topic_arn: 'arn:aws:sns:us-east-1:123456789012:other', message: 'x' }, 'sns.topics'],
    ['secrets_get', { name: 'mine-1' }, 'secrets.allowValues'],
    ['s3_operations', { operation: 'list', bucket: 'mine-1', region: 'eu-west-1' }, 'regions'],
  ])('C-25: %s refuses %j, says what there is, and sends nothing', async (name, input, configKey) => {
    const mine = ['mine-*']
    const connection = await world.open({
      endpoint: fake.origin,
      regions: ['us-*'],
      s3: { buckets: mine },
      dynamodb: { tables: mine },
      lambda: { functions: mine },
      sqs: { queues: mine, operations: ['receive_messages'] },
      sns: { topics: ['*:mine-*'] },
      secrets: { names: mine },
    })
    const before = fake.seen.length
    const error = await failure(callTool(connection, name, input))
    expect([error.code, error.data?.['configKey'], error.data?.['sent']]).toEqual([
      'CLOUD_NOT_ALLOWED',
      configKey,
      false,
    ])
    expect(fake.seen.length).toBe(before)
  })

  it('a longer time for functions becomes the tool’s own', async () => {
    expect(findTool(await world.open({ lambda: { timeoutMs: 60_000 } }), 'lambda_invoke').timeoutMs).toBe(
      60_000,
    )
  })
})

describe('D0-058, B-09: lambda_invoke', () => {
  const world = createAwsWorld()
  let lambda: FakeAws
  beforeAll(async () => {
    lambda = await startFakeAws(
      answerInvoke({
        add: ({ a, b }) => ({ sum: Number(a) + Number(b) }),
        fail: () => {
          throw new RangeError('too much')
        },
        big: () => 'x'.repeat(2_000),
        silent: () => undefined,
      }),
    )
  })
  afterAll(async () => {
    await world.close()
    await lambda.close()
  })
  const invoke = async (input: Record<string, unknown>, own: object = {}) =>
    callTool(await world.open({ lambda: { endpoint: lambda.origin, ...own } }), 'lambda_invoke', input)

  it('answers with what the function answers', async () => {
    const input = { function_name: 'add:live', payload: { a: 1, b: 2 } }
    expect(await invoke(input)).toEqual({
      status_code: 200,
      payload: { sum: 3 },
      executed_version: '$LATEST',
    })
    expect(lambda.seen.at(-1)?.headers).toMatchObject({ 'x-amz-log-type': 'None' })
    expect(await invoke({ function_name: 'silent' })).toMatchObject({ payload: null })
    expect(lambda.seen.at(-1)?.body).toBe('{}')
  })

  it('hands an event over without waiting', async () => {
    expect(await invoke({ function_name: 'fail', invocation_type: 'Event' })).toEqual({ status_code: 202 })
  })

  it('fails with the function’s own error, and without its stack', async () => {
    const error = await failure(invoke({ function_name: 'fail' }))
    expect([error.code, error.message]).toEqual([
      'CLOUD_ERROR',
      'The function fail failed with RangeError: too much',
    ])
    expect(error.data).toEqual({
      error: 'too much',
      error_code: 'RangeError',
      function_error: 'Unhandled',
      status: 200,
      sent: true,
    })
  })

  it('D0-060: a function that is not there', async () => {
    const error = await failure(invoke({ function_name: 'nobody' }))
    expect([error.code, error.data]).toEqual([
      'CLOUD_ERROR',
      {
        error: 'Function not found: nobody',
        error_code: 'ResourceNotFoundException',
        status: 404,
        request_id: 'request-1',
        sent: true,
      },
    ])
  })

  it('takes an answer up to its bound', async () => {
    const error = await failure(invoke({ function_name: 'big' }, { responseBytesMax: 1_000 }))
    expect(error.code).toBe('RESPONSE_TOO_LARGE')
  })

  it('stops waiting when the caller leaves', async () => {
    const controller = new AbortController()
    lambda.answer = () => controller.abort(new Error('left'))
    const connection = await world.open({ lambda: { endpoint: lambda.origin } })
    const called = callTool(connection, 'lambda_invoke', { function_name: 'add' }, controller.signal)
    expect((await failure(called)).message).toBe('left')
  })
})
