import { randomBytes } from 'node:crypto'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { describeWith } from '../../../test/services/describe-with.ts'
import { findFreePort } from '../../../test/services/find-free-port.ts'
import { silentLogger } from '../../core/logger.ts'
import { toJsonSchema } from '../../core/schema.ts'
import { describeConnector } from '../../testing/describe-connector.ts'
import type { Broker, BrokerCapabilities, BrokerKind } from './broker.ts'
import { NamedBroker, receiversMax } from './brokers.ts'
import { queueConfig } from './config.ts'
import { codeOf, failureOf, OpenQueue, openQueue, queue } from './open-queue.fixture.ts'
import { redisKind } from './redis/redis.ts'
import { openRelay } from './relay.fixture.ts'

const run = `weir-test-${randomBytes(5).toString('hex')}`
const one = (broker: object) => ({ brokers: { main: broker } })

describeWith('redis', 'queue', (url) => {
  const client = createClient({ url })
  let deadPort: number
  beforeAll(async () => {
    await client.connect()
    deadPort = await findFreePort()
  })
  const opened: OpenQueue[] = []
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.close()))
  })
  afterAll(async () => {
    const keys = await client.keys(`${run}*`)
    if (keys.length > 0) await client.del(keys)
    await client.close()
  })
  const open = async (broker: object) => {
    const each = await openQueue({ url, ...broker })
    opened.push(each)
    return each
  }

  describeConnector(queue, {
    config: () => one({ url }),
    deadConfig: () => one({ url: `redis://ada:canary-7@127.0.0.1:${deadPort}/3` }),
    secret: 'canary-7',
    slowCall: {
      tool: 'queue_receive',
      input: { queue_name: `${run}-none`, connection: 'main', timeout: 60 },
    },
    badConfigs: [
      { config: {}, field: 'brokers' },
      { config: { brokers: {} }, field: 'brokers' },
      { config: { brokers: { 'no spaces': { url } } }, field: 'brokers.no spaces' },
      { config: one({}), field: 'brokers.main.url' },
      { config: one({ url: 'carrier://ada:canary-7@host' }), field: 'brokers.main.url' },
      { config: one({ url: 'redis:' }), field: 'brokers.main.url' },
      { config: one({ url: 'redis://ada:canary-7@host/db' }), field: 'brokers.main.url' },
      { config: one({ url: 'redis://ada:canary-7@host/1?x=1' }), field: 'brokers.main.url' },
      { config: one({ url, lease: 1 }), field: 'brokers.main.lease' },
      { config: one({ url, leaseMs: 0 }), field: 'brokers.main.leaseMs' },
      { config: one({ url, attemptsMax: 0 }), field: 'brokers.main.attemptsMax' },
      { config: one({ url, deadLetter: 'dead' }), field: 'brokers.main.deadLetter' },
      { config: one({ url, deadLetter: '{queue}' }), field: 'brokers.main.deadLetter' },
      { config: one({ url, queues: [] }), field: 'brokers.main.queues' },
      { config: one({ url: 'redis://host', tls: { ca: 'canary-7' } }), field: 'brokers.main.tls' },
      { config: one({ url: 'rediss://host', tls: { cacert: '' } }), field: 'brokers.main.tls.cacert' },
      { config: one({ url, redis: { eventsMax: 0 } }), field: 'brokers.main.redis.eventsMax' },
      { config: one({ url, redis: { unknown: 0 } }), field: 'brokers.main.redis.unknown' },
    ],
  })

  it('D0-073, D0-078, D0-079: the tools have the documents’ names and parameters, and tell their effect', async () => {
    const { connection } = await open({})
    const described = connection.targets().map(({ name, effect, input }) => {
      const { properties, required } = toJsonSchema(input) as { properties: object; required: string[] }
      return [name, effect, Object.keys(properties), required]
    })
    const leased = ['queue_name', 'lease', 'connection']
    expect(described).toEqual([
      [
        'queue_send',
        'write',
        ['queue_name', 'message', 'connection', 'priority', 'delay'],
        ['queue_name', 'message', 'connection'],
      ],
      [
        'queue_receive',
        'write',
        ['queue_name', 'connection', 'count', 'timeout'],
        ['queue_name', 'connection'],
      ],
      ['queue_ack', 'write', leased, leased],
      ['queue_nack', 'write', [...leased, 'requeue', 'delay'], leased],
      [
        'publish_event',
        'write',
        ['topic', 'event', 'connection', 'routing_key'],
        ['topic', 'event', 'connection'],
      ],
    ])
  })

  it('D0-070, D0-071, D0-072: named brokers on databases of their own, each opened once', async () => {
    const config = { brokers: { default: { url: `${url}/0` }, priority: { url: `${url}/1` } } }
    const connection = await queue.open(queue.config.parse(config), {
      name: 'queues',
      baseDir: import.meta.dirname,
      log: silentLogger,
      signal: new AbortController().signal,
    })
    const [first, second] = [new OpenQueue(connection, 'default'), new OpenQueue(connection, 'priority')]
    opened.push(first)
    const name = `${run}-two`
    await second.send(name, { n: 1 })
    expect(await first.receive(name, { timeout: 0 })).toEqual([])
    await second.ack(name, await second.receiveOne(name))
  })

  it('B-23, C-25: an unknown broker is an error that lists the known ones', async () => {
    const { connection } = await open({})
    const stranger = new OpenQueue(connection, 'defualt')
    for (const call of [stranger.send('q', {}), stranger.receive('q'), stranger.ack('q', { lease: 'x' })]) {
      const refused = await failureOf(call)
      expect([refused.code, refused.message, refused.hint]).toEqual([
        'UNKNOWN_BROKER',
        'There is no broker "defualt" here.',
        'Use one of: main.',
      ])
    }
  })

  it('offers only what some broker may be used for, and refuses the rest by name', async () => {
    const names = ({ connection }: OpenQueue) => connection.targets().map(({ name }) => name)
    const reader = await open({ send: false })
    const writer = await open({ receive: false })
    expect(names(reader)).toEqual(['queue_receive', 'queue_ack', 'queue_nack'])
    expect(names(writer)).toEqual(['queue_send', 'publish_event'])
  })

  it('serves the allowed queues and topics alone', async () => {
    const main = await open({ queues: [`${run}-a*`], topics: [`${run}.events`] })
    const refused = await failureOf(main.send(`${run}-b`, {}))
    expect([refused.code, refused.hint]).toEqual([
      'QUEUE_NOT_ALLOWED',
      'Whoever runs Weir sets `brokers.main.queues`.',
    ])
    expect(await codeOf(main.receive(`${run}-b`, { timeout: 0 }))).toBe('QUEUE_NOT_ALLOWED')
    expect(await codeOf(main.ack(`${run}-b`, { lease: 'x' }))).toBe('QUEUE_NOT_ALLOWED')
    expect(await codeOf(main.nack(`${run}-b`, { lease: 'x' }))).toBe('QUEUE_NOT_ALLOWED')
    expect(await codeOf(main.call('publish_event', { topic: `${run}.other`, event: {} }))).toBe(
      'QUEUE_NOT_ALLOWED',
    )
    expect(await client.exists([`${run}-b`, `${run}.other`])).toBe(0)
    await main.send(`${run}-allowed`, {})
    await main.call('publish_event', { topic: `${run}.events`, event: {} })
    expect(await client.exists([`${run}-allowed`, `${run}.events`])).toBe(2)
  })

  it('as many receivers wait as may, on one connection; one more is refused at once', async () => {
    const relay = await openRelay(url, 6379)
    const main = await open({ url: relay.url })
    const leaving = new AbortController()
    const waiting = Array.from({ length: receiversMax }, (_, n) =>
      main.receive(`${run}-w${n % 8}`, { timeout: 60 }, { signal: leaving.signal }).catch(() => 'left'),
    )
    const refused = await failureOf(main.receive(`${run}-w0`, { timeout: 60 }))
    expect([refused.code, refused.data]).toEqual(['OVERLOADED', { connection: 'main', receiversMax }])
    // Others are not held up by those who wait.
    await main.send(`${run}-w3`, { n: 1 })
    await main.send(`${run}-w3`, { n: 2 })
    expect(relay.connections).toBe(1)
    leaving.abort(new Error('left'))
    const ends = await Promise.all(waiting)
    expect(ends.filter((end) => end !== 'left').length).toBeLessThanOrEqual(2)
    expect(await main.receive(`${run}-w1`, { timeout: 0 })).toEqual([])
    await relay.close()
  })
})

describe('a kind of broker that can do little', () => {
  const none: BrokerCapabilities = {
    priorityMax: 0,
    delayMsMax: 900_000,
    returnDelayMsMax: 0,
    deadLetters: false,
    events: false,
    routingKeys: false,
  }
  const kind: BrokerKind = { ...redisKind, title: 'Pigeon', capabilities: none }
  const config = queueConfig.parse(one({ url: 'redis://host' })).brokers['main']!
  const named = new NamedBroker('main', {} as Broker, kind, config)

  it('is named with the feature it lacks, and a delay is never cut short', () => {
    expect(() => named.requireFeature(none.deadLetters, 'dead letters')).toThrow(
      'The broker "main" (Pigeon) has no dead letters.',
    )
    expect(() => named.requireDelay(900_001, none.delayMsMax, 'delay')).toThrow(
      'The broker "main" (Pigeon) has no delay longer than 900 s.',
    )
    expect(() => named.requireDelay(900_000, none.delayMsMax, 'delay')).not.toThrow()
    expect(() => named.requireDelay(0, 0, 'delay')).not.toThrow()
  })

  it('names the schemes that are supported', () => {
    expect(() => queueConfig.parse(one({ url: 'pigeon://ada:canary-7@host' }))).toThrow(
      /no driver for pigeon; supported: .*redis:, rediss:/,
    )
  })
})
