import { randomBytes } from 'node:crypto'
import { Consumer, type Message, Producer } from '@platformatic/kafka'
import { afterAll, afterEach, expect, it } from 'vitest'
import { describeWith } from '../../../../test/services/describe-with.ts'
import {
  codeOf,
  eventually,
  failureOf,
  numbersOf,
  type OpenQueue,
  openQueue,
  type ReceivedMessage,
} from '../open-queue.fixture.ts'
import { openKafkaRelay } from './kafka-relay.fixture.ts'

const run = `weir-test-${randomBytes(5).toString('hex')}`

describeWith('kafka', 'queues in Kafka', (url) => {
  const base = { clientId: 'tests', bootstrapBrokers: [new URL(url || 'kafka://none').host] }
  const opened: OpenQueue[] = []
  let names = 0
  const queueName = () => `${run}-${names++}`
  const open = async (config: object = {}) => {
    // The mock lets nobody join for as long as this after somebody left.
    const each = await openQueue({ url, kafka: { sessionMs: 6000 }, ...config })
    opened.push(each)
    return each
  }
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.close()))
  })
  const producer = new Producer(base)
  afterAll(() => producer.close())

  /** What another program, in a group of its own, reads from the start. */
  const readAll = async (topic: string, count: number): Promise<Message[]> => {
    const consumer = new Consumer({ ...base, groupId: `tests-${topic}`, autocommit: false, maxWaitTime: 500 })
    const stream = await consumer.consume({ topics: [topic], mode: 'earliest' })
    const all: Message[] = []
    for await (const message of stream) if (all.push(message as Message) >= count) break
    await consumer.close(true)
    return all
  }

  /** Without acknowledging any; Kafka hands over what it has in pieces of its own choice. */
  const receiveAll = async (main: OpenQueue, queue: string, count: number) => {
    const all: ReceivedMessage[] = []
    while (all.length < count) {
      const some = await main.receive(queue, { count, timeout: 10 })
      if (some.length === 0) throw new Error(`only ${all.length} of ${count} messages came`)
      all.push(...some)
    }
    return all
  }

  it('D0-070: a Kafka queue is a topic that other programs read too, in one partition', async () => {
    const [main, queue] = [await open(), queueName()]
    const { message_id } = await main.send(queue, { n: 1 })
    await main.send(queue, { n: 2 })
    const [first, second] = await readAll(queue, 2)
    expect(JSON.parse(String(first?.value))).toMatchObject({ payload: { n: 1 }, id: message_id })
    expect(second?.partition).toBe(first?.partition)
    expect(numbersOf(await main.drain(queue, 2))).toEqual([1, 2])
  }, 30_000)

  it('B-21: a Kafka offset is committed only as far as everything before is done with', async () => {
    const [main, queue] = [await open(), queueName()]
    for (const n of [1, 2, 3]) await main.send(queue, { n })
    const [first, second, third] = await receiveAll(main, queue, 3)
    await main.ack(queue, first!)
    await main.ack(queue, third!)
    await main.close()
    const next = await open()
    const again = await receiveAll(next, queue, 2)
    // The third was done with, but Kafka cannot be told so before the second is.
    expect(again.map(({ id }) => id)).toEqual([second!.id, third!.id])
    await next.ack(queue, again[1]!)
    await next.ack(queue, again[0]!)
    await next.close()
    expect(await (await open()).receive(queue, { timeout: 0.5 })).toEqual([])
  }, 40_000)

  it('B-21: Kafka leases end with the connection, and the dead letters have a name that Kafka takes', async () => {
    const relay = await openKafkaRelay(url)
    const [main, queue] = [await open({ url: relay.url, attemptsMax: 1 }), queueName()]
    const { message_id } = await main.send(queue, { n: 1 })
    const held = await main.receiveOne(queue)
    relay.cut()
    // Known as soon as the group's next heartbeat fails.
    await eventually(async () =>
      expect(await codeOf(main.receive(queue, { timeout: 0 }))).toBe('BROKER_UNAVAILABLE'),
    )
    relay.mend()
    expect(await codeOf(main.ack(queue, held))).toBe('LEASE_LOST')
    const again = await eventually(() => main.receiveOne(queue))
    expect(again.id).toBe(message_id)
    expect((await main.nack(queue, again)).outcome).toBe('dead-lettered')
    expect((await main.receiveOne(`${queue}.dead`)).id).toBe(message_id)
    await main.close()
    await relay.close()
  }, 60_000)

  it('D0-079: an event’s routing key is the key of its Kafka record', async () => {
    const [main, topic] = [await open(), queueName()]
    const { event_id } = await main.call<{ event_id: string }>('publish_event', {
      topic,
      event: { n: 1 },
      routing_key: 'order-7',
    })
    const [record] = await readAll(topic, 1)
    const id = [...record!.headers].find(([name]) => String(name) === 'x-weir-id')?.[1]
    expect([String(record!.key), String(record!.value), String(id)]).toEqual(['order-7', '{"n":1}', event_id])
  }, 30_000)

  it('receives from Kafka what knows no envelope', async () => {
    const [main, topic] = [await open(), queueName()]
    await producer.send({
      messages: [{ topic, value: Buffer.from('plain'), key: Buffer.from('k') }],
      autocreateTopics: true,
    })
    const received = await main.receiveOne(topic)
    expect([received.id, received.payload, received.attempts]).toEqual([null, 'plain', 1])
  }, 30_000)

  it('a Kafka that stops answering is an error, and heals', async () => {
    const relay = await openKafkaRelay(url)
    const [main, queue] = [await open({ url: relay.url }), queueName()]
    await main.send(queue, { n: 1 })
    relay.freeze()
    expect(await codeOf(main.send(queue, { n: 2 }))).toBe('BROKER_UNAVAILABLE')
    relay.mend()
    await eventually(() => main.check())
    expect(numbersOf([await main.receiveOne(queue)])).toEqual([1])
    await main.close()
    await relay.close()
  }, 60_000)

  it('names that no topic can have are refused, and URLs that are none of Kafka’s', async () => {
    const main = await open()
    for (const name of ['a:b', 'a/b', '..']) {
      const refused = await failureOf(main.send(name, {}))
      expect([refused.code, refused.message]).toEqual(['INVALID_INPUT', expect.stringContaining(name)])
    }
    for (const wrong of ['kafka:', 'kafka://host/a', 'kafka://ada:canary-7@host?x=1']) {
      await expect(openQueue({ url: wrong })).rejects.toThrow(/must/)
      await expect(openQueue({ url: wrong })).rejects.not.toThrow(/canary/)
    }
  })
})
