import { SQS } from '@aws-sdk/client-sqs'
import { type FauxqsServer, startFauxqs } from 'fauxqs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { ZodError } from 'zod'
import { startCloudPair } from '../../shared/cloud/cloud-pair.fixture.ts'
import {
  eventually,
  failureOf,
  numbersOf,
  type OpenQueue,
  openQueue,
  pause,
  queue,
} from '../open-queue.fixture.ts'

const keys = { accessKeyId: 'AKIACANARY', secretAccessKey: 'wJalrCanarySecretKey' }
let server: FauxqsServer
let sqs: SQS
let url: string
beforeAll(async () => {
  server = await startFauxqs({ port: 0, logger: false })
  sqs = new SQS({
    endpoint: server.address,
    region: 'us-east-1',
    // The SDK writes into it.
    credentials: { ...keys },
    useQueueUrlAsEndpoint: false,
  })
  url = `sqs+http://127.0.0.1:${new URL(server.address).port}`
})
const opened: OpenQueue[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()))
})
afterAll(async () => {
  sqs.destroy()
  await server.stop()
})
const open = async ({ declare = true, ...config }: { declare?: boolean } & Record<string, unknown> = {}) => {
  const options = { credentials: keys, allowPrivate: true, declare }
  const each = await openQueue({ url, sqs: options, ...config })
  opened.push(each)
  return each
}
const urlOf = async (name: string) => (await sqs.getQueueUrl({ QueueName: name })).QueueUrl!

describe('queues of SQS', () => {
  it('one that is not there is created only where the configuration says so, and is found once it is', async () => {
    const main = await open({ declare: false })
    for (const call of [() => main.send('later', {}), () => main.receive('later', { timeout: 0 })]) {
      const refused = await failureOf(call())
      expect([refused.code, refused.message]).toEqual([
        'BROKER_ERROR',
        'The broker "main" (Amazon SQS) has no queue "later".',
      ])
    }
    server.createQueue('later')
    await main.send('later', { n: 1 })
    expect(numbersOf(await main.drain('later', 1))).toEqual([1])
    await sqs.deleteQueue({ QueueUrl: await urlOf('later') })
    expect((await failureOf(main.send('later', {}))).code).toBe('BROKER_ERROR')
    const other = await open()
    await other.send('later', { n: 2 })
    expect(numbersOf(await main.drain('later', 1))).toEqual([2])
  })

  it('FIFO queues keep their order, take each message once, and have dead letters of their kind', async () => {
    const main = await open({ deadLetter: '{queue}:dead' })
    for (let n = 0; n < 12; n++) await main.send('orders.fifo', { n })
    const [first] = await main.receive('orders.fifo', { timeout: 5 })
    expect(first?.payload).toEqual({ n: 0 })
    expect((await main.nack('orders.fifo', first!, { requeue: false })).outcome).toBe('dead-lettered')
    expect(numbersOf(await main.drain('orders.fifo', 11))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    expect(numbersOf(await main.drain('orders-dead.fifo', 1))).toEqual([0])
    const refused = await failureOf(main.send('orders.fifo', {}, { delay: 1 }))
    expect([refused.code, refused.message]).toEqual([
      'QUEUE_UNSUPPORTED',
      'The broker "main" (Amazon SQS) has no delay of single messages in FIFO queues.',
    ])
  })

  it('answers with more than SQS gives out at a time', async () => {
    const main = await open()
    await Promise.all(Array.from({ length: 25 }, (_, n) => main.send('many', { n })))
    expect(await main.receive('many', { count: 23 })).toHaveLength(23)
    expect(await main.receive('many', { count: 23 })).toHaveLength(2)
  })

  it('a message of another program goes to the dead letters with its attributes', async () => {
    const main = await open({ deadLetter: '{queue}-dead' })
    const QueueUrl = server.createQueue('foreign').queueUrl
    const MessageAttributes = { kind: { DataType: 'String', StringValue: 'invoice' } }
    const { MessageId } = await sqs.sendMessage({ QueueUrl, MessageBody: 'plain', MessageAttributes })
    const message = await main.receiveOne('foreign')
    expect([message.id, message.payload]).toEqual([MessageId, 'plain'])
    await main.nack('foreign', message, { requeue: false })
    const dead = { QueueUrl: await urlOf('foreign-dead'), MessageAttributeNames: ['All'] }
    const [copy] = (await sqs.receiveMessage(dead)).Messages ?? []
    expect([copy?.Body, copy?.MessageAttributes?.['kind']?.StringValue]).toEqual(['plain', 'invoice'])
  })

  it('D0-073: text that SQS takes in no message comes as it was sent', async () => {
    const main = await open()
    const message = { text: '💧 \ufffe \uffff \ud800 \u0000' }
    await main.send('text', message)
    expect((await main.receiveOne('text')).payload).toEqual(message)
  })

  it('B-21: a delivery to a receiver that had left counts as no attempt', async () => {
    const main = await open()
    await main.receive('left', { timeout: 0 })
    const leaving = new AbortController()
    const waiting = main.receive('left', { timeout: 10 }, { signal: leaving.signal }).catch(() => [])
    await pause(300)
    leaving.abort(new Error('left'))
    expect(await waiting).toEqual([])
    await main.send('left', { n: 1 })
    expect((await main.receiveOne('left')).attempts).toBe(1)
  })

  it('what is more than one answer may hold goes back, and counts as no attempt', async () => {
    const main = await open({ messageBytesMax: 1024 * 1024 })
    const text = 'x'.repeat(1_000_000)
    for (let n = 0; n < 6; n++) await main.send('large', { n, text })
    const first = await main.receive('large', { count: 10 })
    expect(numbersOf(first)).toEqual([0, 1, 2, 3])
    const rest = await eventually(async () => {
      const found = await main.receive('large', { count: 10 })
      expect(found.length).toBe(2)
      return found
    })
    expect(rest.map(({ attempts }) => attempts)).toEqual([1, 1])
  })

  it('asks once for the URL of a queue, and remembers a thousand', async () => {
    const clouds = await startCloudPair()
    try {
      const main = await open({ url: clouds.fake.origin.replace('http', 'sqs+http') })
      let lookups = 0
      clouds.fake.answer = (request, response) => {
        const isLookup = request.headers['x-amz-target'] === 'AmazonSQS.GetQueueUrl'
        if (isLookup) lookups++
        response.end(isLookup ? `{"QueueUrl": "${clouds.fake.origin}/1/q"}` : '{"Messages": []}')
      }
      const look = (n: number) => main.receive(`q${n}`, { timeout: 0 })
      for (let n = 0; n < 1_000; n++) await look(n)
      await look(0)
      expect(lookups).toBe(1_000)
      await look(1_000)
      await look(0)
      expect(lookups).toBe(1_002)
    } finally {
      await clouds.close()
    }
  }, 60_000)

  it('S5: receipt handles never leave Weir', async () => {
    const main = await open()
    await main.send('handles', { n: 1 })
    const { lease } = await main.receiveOne('handles')
    expect(lease).toMatch(/^[\w-]{24}$/)
    const QueueUrl = await urlOf('handles')
    await sqs.deleteMessage({ QueueUrl, ReceiptHandle: lease })
    const inFlight = 'ApproximateNumberOfMessagesNotVisible'
    const { Attributes } = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: [inFlight] })
    expect(Attributes?.[inFlight]).toBe('1')
  })
})

describe('S10, S12: where requests go', () => {
  it('not where a redirect or the URL of a queue leads', async () => {
    const clouds = await startCloudPair()
    try {
      const main = await open({ url: clouds.fake.origin.replace('http', 'sqs+http') })
      clouds.fake.answer = (request, response) => {
        const isLookup = request.headers['x-amz-target'] === 'AmazonSQS.GetQueueUrl'
        if (isLookup) response.end(JSON.stringify({ QueueUrl: `${clouds.canary.origin}/1/orders` }))
        else response.writeHead(307, { location: clouds.canary.origin }).end()
      }
      expect((await failureOf(main.send('orders', {}))).code).toBe('BROKER_ERROR')
      expect(clouds.fake.seen.map(({ headers }) => headers.authorization)).toEqual([
        expect.stringContaining('AKIACANARY'),
        expect.stringContaining('AKIACANARY'),
      ])
      expect(clouds.canary.seen).toEqual([])
      const inside = { credentials: keys }
      const away = await openQueue({ url: clouds.canary.origin.replace('http', 'sqs+http'), sqs: inside })
      opened.push(away)
      expect((await failureOf(away.send('orders', {}))).code).toBe('ADDRESS_NOT_ALLOWED')
      expect(clouds.canary.seen).toEqual([])
    } finally {
      await clouds.close()
    }
  })

  it('S16: the secret key stands in no error', async () => {
    const clouds = await startCloudPair()
    try {
      const main = await open({ url: clouds.fake.origin.replace('http', 'sqs+http') })
      for (const status of [400, 403, 500]) {
        clouds.fake.answer = (_, response) =>
          response.writeHead(status).end(JSON.stringify({ __type: 'Failed', message: keys.secretAccessKey }))
        const refused = await eventually(() => failureOf(main.send('orders', {})))
        expect(['BROKER_ERROR', 'UPSTREAM_AUTH', 'BROKER_UNAVAILABLE']).toContain(refused.code)
        expect(JSON.stringify([refused.message, refused.hint, refused.data])).not.toContain(
          keys.secretAccessKey,
        )
      }
    } finally {
      await clouds.close()
    }
  })
})

describe('the configuration of SQS', () => {
  const fieldsOf = (broker: object) => {
    try {
      queue.config.parse({ brokers: { main: broker } })
      return undefined
    } catch (thrown) {
      return (thrown as ZodError).issues.map(({ path }) => path.join('.'))
    }
  }
  const own = { credentials: keys }

  it.each([
    [{ url: 'sqs://eu-west-1' }, ['brokers.main.sqs.credentials']],
    [{ url: 'redis://h', sqs: own }, ['brokers.main.sqs']],
    [{ url: 'sqs://', sqs: own }, ['brokers.main.url']],
    [{ url: 'sqs://a/../b', sqs: own }, ['brokers.main.url']],
    [{ url: 'sqs://eu-west-1:80', sqs: own }, ['brokers.main.url']],
    [{ url: 'sqs+https://u:p@host', sqs: own }, ['brokers.main.url']],
    [{ url: 'sqs+https://host/a/b', sqs: own }, ['brokers.main.url']],
    [{ url: 'sqs://eu-west-1', sqs: own, tls: { ca: 'x' } }, ['brokers.main.tls']],
    [{ url: 'sqs://eu-west-1', sqs: own }, undefined],
    [{ url: 'sqs+https://sqs.internal/eu-west-1', sqs: own }, undefined],
  ])('%j is refused at %j', (broker, fields) => {
    expect(fieldsOf(broker)).toEqual(fields)
  })

  it.each(['a.b', 'a:b', 'x'.repeat(81), '.fifo', 'a/b'])('a queue cannot be called %s', async (name) => {
    expect((await failureOf((await open()).send(name, {}))).code).toBe('INVALID_INPUT')
  })

  it('offers no events', async () => {
    const names = (await open()).connection.targets().map(({ name }) => name)
    expect(names).toEqual(['queue_send', 'queue_receive', 'queue_ack', 'queue_nack'])
  })
})
