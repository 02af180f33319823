import { type FauxqsServer, startFauxqs } from 'fauxqs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Connection } from '../../core/connector.ts'
import { callTool, createAwsWorld, failure } from './fixtures/aws-world.fixture.ts'
import { answerSecrets, type FakeAws, startFakeAws } from './fixtures/fake-aws.fixture.ts'

const world = createAwsWorld()
let aws: FauxqsServer
let secrets: FakeAws
let connection: Connection
let queue: string
let topic: string

beforeAll(async () => {
  aws = await startFauxqs({ port: 0, logger: false })
  secrets = await startFakeAws(
    answerSecrets({
      'db/main': 'S3cret-Value',
      'db/bytes': Buffer.from([0, 255]),
      other: 'hidden',
      last: 'x',
    }),
  )
  queue = aws.createQueue('orders').queueUrl
  topic = aws.createTopic('events').topicArn
  aws.subscribe({ topic: 'events', queue: 'orders' })
  connection = await world.open({
    endpoint: aws.address,
    sqs: { operations: ['send_message', 'receive_messages', 'delete_message'] },
    sns: {},
    secrets: { endpoint: secrets.origin, names: ['db/*', 'last'], allowValues: ['db/*'] },
  })
})
afterAll(async () => {
  await world.close()
  await secrets.close()
  await aws.stop()
})

const sqs = (operation: string, input: object = {}) =>
  callTool(connection, 'sqs_operations', { operation, queue_url: queue, ...input })
const get = (input: object) => callTool(connection, 'secrets_get', { ...input })

interface Received {
  readonly messages: { readonly receipt_handle: string; readonly body: string }[]
}

describe('sqs_operations', () => {
  it('D0-059, B-09: sends, receives and deletes a message', async () => {
    const attributes = { kind: 'created', n: 7, raw: { $bytes: 'AP8=' } }
    expect(await sqs('send_message', { message_body: 'héllo', attributes })).toEqual({
      success: true,
      message: 'Message sent',
      message_id: expect.any(String),
    })
    const received = (await sqs('receive_messages', {
      count: 10,
      visibility_seconds: 60,
    })) as unknown as Received
    expect(received).toEqual({
      count: 1,
      messages: [
        {
          message_id: expect.any(String),
          receipt_handle: expect.any(String),
          body: 'héllo',
          attributes,
          sent_at: expect.stringMatching(/^\d{4}-.*Z$/),
          receive_count: 1,
        },
      ],
    })
    expect(await sqs('receive_messages')).toEqual({ messages: [], count: 0 })
    const { receipt_handle } = received.messages[0]!
    expect(await sqs('delete_message', { receipt_handle })).toEqual({
      success: true,
      message: 'Message deleted',
    })
    expect(aws.inspectQueue('orders')?.messages).toMatchObject({ ready: [], delayed: [], inflight: [] })
  })

  it('D0-059: delays a message, waits for one, and keeps the order of a FIFO queue', async () => {
    await sqs('send_message', { message_body: 'later', delay_seconds: 900 })
    expect(aws.inspectQueue('orders')?.messages.delayed).toHaveLength(1)
    const fifo = aws.createQueue('line.fifo', { attributes: { FifoQueue: 'true' } }).queueUrl
    const send = (body: string, deduplication_id: string) =>
      sqs('send_message', { queue_url: fifo, message_body: body, group_id: 'g', deduplication_id })
    const waiting = sqs('receive_messages', { queue_url: fifo, wait_seconds: 20, count: 2 })
    expect(await send('one', '1')).toMatchObject({ sequence_number: expect.any(String) })
    await send('one', '1')
    expect(await waiting).toMatchObject({ messages: [{ body: 'one', group_id: 'g' }], count: 1 })
  })

  it('D0-060: a queue that is not there is an error with the provider’s code', async () => {
    const error = await failure(sqs('receive_messages', { queue_url: `${queue}-nowhere` }))
    expect([error.code, error.data?.['status']]).toEqual(['CLOUD_ERROR', 400])
    expect(error.data?.['error_code']).toMatch(/QueueDoesNotExist|NonExistentQueue/)
  })
})

describe('sns_publish', () => {
  it('publishes to a topic', async () => {
    aws.createQueue('copies')
    aws.subscribe({ topic: 'events', queue: 'copies' })
    expect(
      await callTool(connection, 'sns_publish', {
        topic_arn: topic,
        message: 'news',
        subject: 'Hello',
        attributes: { kind: 'created' },
      }),
    ).toEqual({ success: true, message_id: expect.any(String) })
    const [copy] = aws.inspectQueue('copies')!.messages.ready
    expect(JSON.parse(copy!.body)).toMatchObject({ Message: 'news', Subject: 'Hello' })
  })

  it('D0-060: a topic that is not there is an error with the provider’s code', async () => {
    const call = callTool(connection, 'sns_publish', { topic_arn: `${topic}-nowhere`, message: 'x' })
    expect(await failure(call)).toMatchObject({ code: 'CLOUD_ERROR', data: { status: 404 } })
  })

  it('takes no phone number', async () => {
    await expect(
      callTool(connection, 'sns_publish', { topic_arn: '+4912345', message: 'x' }),
    ).rejects.toThrow('topic_arn')
  })
})

describe('secrets_get', () => {
  it('lists names over all pages, those that are allowed alone', async () => {
    expect(await get({})).toEqual({ names: ['db/main', 'db/bytes', 'last'], truncated: false })
  })

  it('gives the values that the configuration names', async () => {
    expect(await get({ name: 'db/main' })).toEqual({
      name: 'db/main',
      value: 'S3cret-Value',
      version_id: 'v1',
    })
    expect(await get({ name: 'db/bytes' })).toMatchObject({ value_base64: 'AP8=' })
    expect(await failure(get({ name: 'db/none' }))).toMatchObject({
      code: 'CLOUD_ERROR',
      data: { error_code: 'ResourceNotFoundException' },
    })
  })

  it('gives no other value, and does not ask for it', async () => {
    const before = secrets.seen.length
    expect((await failure(get({ name: 'other' }))).code).toBe('CLOUD_NOT_ALLOWED')
    await expect(get({ name: 'arn:aws:secretsmanager:us-east-1:1:secret:other' })).rejects.toThrow('name')
    expect(secrets.seen.length).toBe(before)
  })
})
