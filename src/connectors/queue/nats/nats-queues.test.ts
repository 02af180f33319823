import { randomBytes } from 'node:crypto'
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { describeWith } from '../../../../test/services/describe-with.ts'
import { codeOf, eventually, failureOf, numbersOf, type OpenQueue, openQueue } from '../open-queue.fixture.ts'
import { openRelay } from '../relay.fixture.ts'

const run = `weir-test-${randomBytes(5).toString('hex')}`

describeWith('nats', 'queues in JetStream', (url) => {
  let connection: NatsConnection
  let manager: JetStreamManager
  const streams: string[] = []
  const opened: OpenQueue[] = []
  beforeAll(async () => {
    connection = await connect({ servers: url })
    manager = await jetstreamManager(connection)
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.close()))
  })
  afterAll(async () => {
    for (const stream of streams) {
      await manager.streams.delete(stream).catch(() => {})
      await manager.streams.delete(`${stream}:dead`).catch(() => {})
    }
    await connection.close()
  })
  const open = async (config: object = {}) => {
    const each = await openQueue({ url, ...config })
    opened.push(each)
    return each
  }
  const queueName = () => {
    streams.push(`${run}:${streams.length}`)
    return streams.at(-1)!
  }

  it('D0-070, C-18: a NATS queue is a stream on disk that keeps each message until it is acknowledged', async () => {
    const [main, queue] = [await open(), queueName()]
    const { message_id } = await main.send(queue, { n: 1 })
    const { config, state } = await manager.streams.info(queue)
    expect([config.storage, config.retention, state.messages]).toEqual(['file', 'workqueue', 1])
    const stored = await manager.streams.getMessage(queue, { seq: 1 })
    expect(stored?.json()).toMatchObject({ payload: { n: 1 }, id: message_id })
    await main.ack(queue, await main.receiveOne(queue))
    expect((await manager.streams.info(queue)).state.messages).toBe(0)
  })

  it('B-19: on NATS what is due later holds up nothing, whoever receives it', async () => {
    const [main, queue] = [await open(), queueName()]
    await main.send(queue, { n: 3 }, { delay: 1.5 })
    await main.send(queue, { n: 1 }, { delay: 0.3 })
    await main.send(queue, { n: 2 }, { delay: 0.8 })
    expect(await main.receive(queue, { count: 10, timeout: 0 })).toEqual([])
    await main.close()
    const other = await open()
    const received = [
      await other.receiveOne(queue),
      await other.receiveOne(queue),
      await other.receiveOne(queue),
    ]
    expect(numbersOf(received)).toEqual([1, 2, 3])
  })

  it('B-21: a NATS lease outlives a broken connection, and ends with Weir', async () => {
    const relay = await openRelay(url, 4222)
    const [main, queue] = [await open({ url: relay.url, leaseMs: 1500, attemptsMax: 2 }), queueName()]
    await main.send(queue, { n: 1 })
    await main.send(queue, { n: 2 })
    const [first, second] = [await main.receiveOne(queue), await main.receiveOne(queue)]
    relay.cut()
    relay.mend()
    await eventually(() => main.check())
    await main.ack(queue, first)
    await main.close()
    const again = await (await open({ leaseMs: 1500 })).receiveOne(queue)
    expect([again.id, again.attempts]).toEqual([second.id, 2])
    await relay.close()
  }, 20_000)

  it('a receiver that leaves counts as no attempt on NATS', async () => {
    const [main, queue] = [await open({ attemptsMax: 1 }), queueName()]
    await main.receive(queue, { timeout: 0 })
    const leaving = new AbortController()
    const waiting = main.receive(queue, { timeout: 10 }, { signal: leaving.signal }).catch(() => [])
    const sending = main.send(queue, { n: 1 })
    setTimeout(() => leaving.abort(new Error('left')), 1)
    const [early] = await waiting
    await sending
    expect((early ?? (await main.receiveOne(queue))).attempts).toBe(1)
  })

  it('a stream with other properties is a clear error on NATS, or used as it is', async () => {
    const [main, queue] = [await open(), queueName()]
    await manager.streams.add({ name: queue, subjects: [queue] })
    const refused = await failureOf(main.send(queue, {}))
    expect([refused.code, refused.message]).toEqual([
      'BROKER_ERROR',
      'The broker "main" (NATS JetStream) has a stream of this name already, with other properties than Weir gives it.',
    ])
    const asIs = await open({ nats: { declare: false } })
    await asIs.send(queue, { n: 1 })
    expect(numbersOf(await asIs.drain(queue, 1))).toEqual([1])
    expect(await codeOf(asIs.send(`${run}-absent`, {}))).toBe('BROKER_ERROR')
  })

  it('a NATS queue is bounded, and made anew when it was taken away', async () => {
    const [main, queue] = [await open({ nats: { queueMessagesMax: 2 } }), queueName()]
    await main.send(queue, { n: 1 })
    await main.send(queue, { n: 2 })
    const refused = await failureOf(main.send(queue, { n: 3 }))
    expect([refused.code, refused.data?.['sent']]).toEqual(['OVERLOADED', false])
    expect(numbersOf(await main.drain(queue, 2))).toEqual([1, 2])
    await manager.streams.delete(queue)
    await main.send(queue, { n: 4 })
    await eventually(() => main.receive(queue, { timeout: 0 }))
    await manager.streams.delete(queue)
    await main.send(queue, { n: 5 })
    await eventually(async () => expect(numbersOf(await main.receive(queue, { timeout: 1 }))).toEqual([5]))
  })

  it('D0-079: an event reaches who listens on NATS, and a stream that keeps its subject', async () => {
    const [main, stream] = [await open(), queueName()]
    const topic = `${run}.events`
    const heard: unknown[] = []
    const subscription = connection.subscribe(`${topic}.order.*`, {
      callback(_, message) {
        heard.push(message.json())
      },
    })
    await connection.flush()
    const publish = (routing_key: string) =>
      main.call<{ event_id: string }>('publish_event', { topic, event: { routing_key }, routing_key })
    await publish('order.paid')
    await publish('user.paid')
    await manager.streams.add({ name: stream, subjects: [`${topic}.>`] })
    const { event_id } = await publish('order.sent')
    const stored = await manager.streams.getMessage(stream, { seq: 1 })
    expect([stored?.json(), stored?.header.get('Nats-Msg-Id')]).toEqual([
      { routing_key: 'order.sent' },
      event_id,
    ])
    await eventually(async () =>
      expect(heard).toEqual([{ routing_key: 'order.paid' }, { routing_key: 'order.sent' }]),
    )
    subscription.unsubscribe()
    expect(await codeOf(publish('order.*'))).toBe('INVALID_INPUT')
  })

  it('a NATS that stops answering is left, and reached again', async () => {
    const relay = await openRelay(url, 4222)
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

  it('names that no stream can have are refused, and URLs that are none of NATS’s', async () => {
    const main = await open()
    for (const name of ['a.b', 'a*', '>', '$SYS'])
      expect(await codeOf(main.send(name, {}))).toBe('INVALID_INPUT')
    for (const topic of ['a..b', 'a.*', '$JS.API']) {
      expect(await codeOf(main.call('publish_event', { topic, event: {} }))).toBe('INVALID_INPUT')
    }
    for (const wrong of ['nats:', 'nats://host/a', 'nats://ada:canary-7@host?x=1']) {
      await expect(openQueue({ url: wrong })).rejects.toThrow(/must/)
      await expect(openQueue({ url: wrong })).rejects.not.toThrow(/canary/)
    }
  })
})
