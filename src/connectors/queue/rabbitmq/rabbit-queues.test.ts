import { randomBytes } from 'node:crypto'
import { type Channel, type ChannelModel, connect, type Message } from 'amqplib'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { describeWith } from '../../../../test/services/describe-with.ts'
import { codeOf, eventually, failureOf, numbersOf, type OpenQueue, openQueue } from '../open-queue.fixture.ts'
import { openRelay } from '../relay.fixture.ts'

const run = `weir-test-${randomBytes(5).toString('hex')}`

describeWith('rabbitmq', 'queues in RabbitMQ', (url) => {
  let model: ChannelModel
  let channel: Channel
  const queues: string[] = []
  const exchanges: string[] = []
  const opened: OpenQueue[] = []
  beforeAll(async () => {
    model = await connect(url)
    channel = await model.createChannel()
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.close()))
  })
  afterAll(async () => {
    for (const queue of queues) {
      await channel.deleteQueue(queue)
      await channel.deleteQueue(`${queue}:dead`)
    }
    for (const exchange of exchanges) await channel.deleteExchange(exchange)
    await model.close()
  })
  const open = async (config: object = {}) => {
    const each = await openQueue({ url, ...config })
    opened.push(each)
    return each
  }
  const queueName = () => {
    queues.push(`${run}:${queues.length}`)
    return queues.at(-1)!
  }

  it('D0-070, C-18: RabbitMQ has durable queues of any name, and messages that outlive its restart', async () => {
    const [main, queue] = [await open(), queueName()]
    const { message_id } = await main.send(queue, { n: 1 }, { priority: 3 })
    await channel.assertQueue(queue, { durable: true, maxPriority: 9 })
    const { properties, content } = (await channel.get(queue, { noAck: true })) as Message
    expect([properties.deliveryMode, properties.messageId, properties.priority]).toEqual([2, message_id, 3])
    expect(JSON.parse(content.toString())).toMatchObject({ payload: { n: 1 }, id: message_id })
  })

  it('B-19: on RabbitMQ what is due later holds up nothing, and comes although nobody sends or asks', async () => {
    const [main, queue] = [await open(), queueName()]
    await main.send(queue, { n: 3 }, { delay: 1.5 })
    await main.send(queue, { n: 1 }, { delay: 0.3 })
    await main.send(queue, { n: 2 }, { delay: 0.8 })
    await main.close()
    expect(await channel.checkQueue(queue)).toMatchObject({ messageCount: 0 })
    await eventually(async () => {
      expect(await channel.checkQueue(queue)).toMatchObject({ messageCount: 3 })
    })
    expect(numbersOf(await (await open()).drain(queue, 3))).toEqual([1, 2, 3])
  })

  it('B-21: RabbitMQ attempts are counted over broken connections, to the dead letters', async () => {
    const relay = await openRelay(url, 5672)
    const [main, queue] = [await open({ url: relay.url, attemptsMax: 2 }), queueName()]
    const { message_id } = await main.send(queue, { n: 1 })
    for (const attempts of [1, 2]) {
      const held = await main.receiveOne(queue)
      expect(held.attempts).toBe(attempts)
      relay.cut()
      relay.mend()
      await eventually(async () => expect(await codeOf(main.ack(queue, held))).toBe('LEASE_LOST'))
      await eventually(() => main.check())
    }
    expect(await main.receive(queue, { timeout: 0.5 })).toEqual([])
    expect((await main.receiveOne(`${queue}:dead`)).id).toBe(message_id)
    await relay.close()
  })

  it('a receiver that leaves counts as no attempt on RabbitMQ', async () => {
    const [main, queue] = [await open({ attemptsMax: 1 }), queueName()]
    await main.send(queue, { n: 1 })
    for (let n = 0; n < 5; n++) {
      const leaving = new AbortController()
      const waiting = main.receive(queue, { count: 5 }, { signal: leaving.signal }).catch(() => [])
      setTimeout(() => leaving.abort(new Error('left')), n)
      for (const message of await waiting) {
        expect(message.attempts).toBe(1)
        return
      }
    }
    expect((await main.receiveOne(queue)).attempts).toBe(1)
  })

  it('a queue with other properties is a clear error, and breaks nobody else’s call on RabbitMQ', async () => {
    const [main, queue, other] = [await open(), queueName(), queueName()]
    await channel.assertQueue(other, { durable: true })
    await main.send(queue, { n: 1 })
    const held = await main.receiveOne(queue)
    const waiting = main.receive(queue, { timeout: 10 })
    for (const call of [main.send(other, {}), main.receive(other, { timeout: 0 })]) {
      const refused = await failureOf(call)
      expect([refused.code, refused.message]).toEqual([
        'BROKER_ERROR',
        'The broker "main" (RabbitMQ) has it already, with other properties than Weir gives it (PRECONDITION_FAILED).',
      ])
    }
    await main.ack(queue, held)
    await main.send(queue, { n: 2 })
    expect(numbersOf(await waiting)).toEqual([2])
    const asIs = await open({ rabbitmq: { declare: false } })
    await asIs.send(other, { n: 3 })
    expect(numbersOf(await asIs.drain(other, 1))).toEqual([3])
    const absent = `${run}-absent`
    expect(await codeOf(asIs.send(absent, {}))).toBe('BROKER_ERROR')
  })

  it('a queue that was taken away is made anew on RabbitMQ, or the sender is told', async () => {
    const [main, queue] = [await open(), queueName()]
    await main.send(queue, { n: 1 })
    await channel.deleteQueue(queue)
    await main.send(queue, { n: 2 })
    expect(numbersOf(await main.drain(queue, 1))).toEqual([2])
    const asIs = await open({ rabbitmq: { declare: false } })
    await asIs.send(queue, { n: 3 })
    await channel.deleteQueue(queue)
    expect(await codeOf(asIs.send(queue, { n: 4 }))).toBe('BROKER_ERROR')
  })

  it('RabbitMQ’s refusal because a queue is full reaches the sender', async () => {
    const [asIs, queue] = [await open({ rabbitmq: { declare: false } }), queueName()]
    await channel.assertQueue(queue, { durable: true, maxLength: 1, overflow: 'reject-publish' })
    await asIs.send(queue, { n: 1 })
    const refused = await failureOf(asIs.send(queue, { n: 2 }))
    expect([refused.code, refused.message]).toEqual([
      'BROKER_ERROR',
      'The broker "main" (RabbitMQ) could not take the message.',
    ])
    expect(numbersOf(await asIs.drain(queue, 1))).toEqual([1])
  })

  it('D0-079: an event reaches the RabbitMQ queues that are bound for its routing key', async () => {
    const [main, queue] = [await open(), queueName()]
    const topic = `${run}-events`
    exchanges.push(topic)
    const publish = (routing_key: string) =>
      main.call<{ event_id: string }>('publish_event', { topic, event: { routing_key }, routing_key })
    await publish('order.early')
    await channel.assertQueue(queue, { durable: true, maxPriority: 9 })
    await channel.bindQueue(queue, topic, 'order.*')
    const { event_id } = await publish('order.paid')
    await publish('user.paid')
    const [event] = await main.receive(queue, { timeout: 5 })
    expect([event?.id, event?.payload]).toEqual([event_id, { routing_key: 'order.paid' }])
    expect(await main.receive(queue, { timeout: 0.3 })).toEqual([])
  })

  it('a RabbitMQ that stops answering is left, and reached again', async () => {
    const relay = await openRelay(url, 5672)
    const [main, queue] = [await open({ url: relay.url }), queueName()]
    await main.send(queue, { n: 1 })
    relay.freeze()
    const refused = await failureOf(main.send(queue, { n: 2 }))
    expect([refused.code, refused.data?.['sent']]).toEqual(['BROKER_UNAVAILABLE', true])
    relay.mend()
    await eventually(() => main.check())
    expect(numbersOf(await main.drain(queue, 1))).toEqual([1])
    await relay.close()
  }, 20_000)

  it('credentials that RabbitMQ refuses are named, and shown to nobody', async () => {
    const wrong = new URL(url)
    wrong.username = 'ada'
    wrong.password = 'canary-7'
    const refused = await failureOf((await open({ url: wrong.href })).check())
    expect(refused.message).toBe('The broker "main" (RabbitMQ) refuses the credentials (ACCESS_REFUSED).')
    expect(JSON.stringify(refused)).not.toContain('canary-7')
  })

  it('names that RabbitMQ or Weir keep for themselves are refused, and URLs that are none of its', async () => {
    const main = await open()
    for (const name of ['amq.topic', 'weir-delay:x:1']) {
      expect(await codeOf(main.send(name, {}))).toBe('INVALID_INPUT')
    }
    for (const wrong of ['amqp:', 'amqp://host/a/b', 'amqp://ada:canary-7@host/v?heartbeat=0']) {
      await expect(openQueue({ url: wrong })).rejects.toThrow(/must/)
      await expect(openQueue({ url: wrong })).rejects.not.toThrow(/canary/)
    }
  })
})
