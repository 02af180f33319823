import { expect, it, vi } from 'vitest'
import { describeWith } from '../../../../test/services/describe-with.ts'
import { codeOf, eventually, failureOf } from '../open-queue.fixture.ts'
import { useRedis } from './redis-world.fixture.ts'

const bytes = (text: string) => Buffer.byteLength(text)

describeWith('redis', 'queues that other programs share', (url) => {
  const { client, name, open, nowMs } = useRedis(url)

  it('D0-074, D0-076: an immediate message is pushed to the left of the list {queue}, as its envelope', async () => {
    const [main, queue] = [await open(), name()]
    const first = await main.send(queue, { n: 1 })
    const second = await main.send(queue, { n: 2 })
    const lying = await client.lRange(queue, 0, -1)
    expect(lying.map((body) => JSON.parse(body))).toEqual([
      { payload: { n: 2 }, priority: 0, timestamp: expect.any(Number), id: second.message_id },
      { payload: { n: 1 }, priority: 0, timestamp: expect.any(Number), id: first.message_id },
    ])
    // As the documents' own program receives.
    expect(JSON.parse((await client.brPop(queue, 1))!.element)).toMatchObject({ id: first.message_id })
  })

  it('B-20: higher priorities have lists of their own', async () => {
    const [main, queue] = [await open(), name()]
    await main.send(queue, { n: 1 }, { priority: 4 })
    expect(await client.lLen(`${queue}:p4`)).toBe(1)
    expect(await client.exists(queue)).toBe(0)
  })

  it('D0-075, B-18: a delayed message lies in {queue}:delayed by its due time in seconds since 1970', async () => {
    const [main, queue] = [await open(), name()]
    const seconds = (await nowMs()) / 1000
    const { message_id } = await main.send(queue, { n: 1 }, { delay: 100 })
    const [lying] = await client.zRangeWithScores(`${queue}:delayed`, 0, -1)
    expect(JSON.parse(lying!.value)).toMatchObject({ id: message_id, payload: { n: 1 } })
    expect(lying!.score - seconds).toBeGreaterThan(99.9)
    expect(lying!.score - seconds).toBeLessThan(105)
  })

  it('B-19: a delayed message reaches the list in its time though nobody receives or sends again', async () => {
    const [main, queue] = [await open(), name()]
    await main.send(queue, { n: 1 }, { delay: 0.3 })
    await main.send(queue, { n: 2 }, { delay: 0.2, priority: 3 })
    const popped = await client.brPop(queue, 10)
    expect(JSON.parse(popped!.element)).toMatchObject({ payload: { n: 1 } })
    expect(await client.lLen(`${queue}:p3`)).toBe(1)
  })

  it('B-19: also when the Weir that delayed it is gone, and another one was started', async () => {
    const [main, queue] = [await open(), name()]
    await main.send(queue, { n: 1 }, { delay: 0.5 })
    await main.close()
    const next = await open()
    await next.check()
    expect(await client.brPop(queue, 10)).not.toBeNull()
  })

  it.each([
    ['seconds', (ms: number) => ms / 1000],
    ['milliseconds', (ms: number) => ms],
    ['the clock of a process, as the documents’ own program has it', () => 8123.4],
  ])('D0-075: what another program delayed is received, by %s', async (_unit, toScore) => {
    const [main, queue] = [await open(), name()]
    const now = await nowMs()
    const envelope = (n: number) =>
      JSON.stringify({ payload: { n }, priority: 0, timestamp: 1, id: `${queue}_${n}` })
    await client.zAdd(`${queue}:delayed`, { value: envelope(1), score: toScore(now - 5) })
    await client.zAdd(`${queue}:delayed`, { value: envelope(2), score: toScore(now + 400_000) })
    expect(await main.receive(queue, { count: 2, timeout: 0 })).toMatchObject(
      toScore(now) === toScore(now + 400_000)
        ? [{ payload: { n: 1 } }, { payload: { n: 2 } }]
        : [{ payload: { n: 1 }, id: `${queue}_1` }],
    )
  })

  it('D4-053, C-18: requests that another program pushed are received whole, first in, first out', async () => {
    const [main, queue] = [await open(), `${name()}:mcp:requests`]
    const request = (id: string) => ({
      id,
      tool: 'execute_query',
      arguments: { big: '12345678901234567890', empty: [] },
      callback_url: null,
      timestamp: '2026-01-01T00:00:00',
    })
    await client.lPush(queue, [JSON.stringify(request('r1')), JSON.stringify(request('r2'))])
    const received = await main.receive(queue, { count: 10 })
    expect(received).toEqual(
      ['r1', 'r2'].map((id) => ({
        id: null,
        payload: request(id),
        priority: 0,
        timestamp: null,
        attempts: 1,
        lease: expect.any(String),
      })),
    )
  })

  it('what other programs push is received whatever it is, and goes back byte for byte', async () => {
    const [main, queue] = [await open(), name()]
    const bodies = ['plain', '{"n": 1.0, "big": 12345678901234567890}', '[]', Buffer.of(0xff, 0)]
    for (const body of bodies) await client.lPush(queue, body)
    const received = await main.receive(queue, { count: 10 })
    expect(received.map(({ payload }) => payload)).toEqual([
      'plain',
      { n: 1, big: Number('12345678901234567890') },
      [],
      { $bytes: '/wA=' },
    ])
    for (const message of received.reverse()) await main.nack(queue, message)
    const again = await client.sendCommand(['LRANGE', queue, '0', '-1'], { typeMapping: { 36: Buffer } })
    expect((again as unknown as Buffer[]).reverse()).toEqual(
      bodies.map((body) => Buffer.from(body as string)),
    )
    expect((await main.receive(queue, { count: 10 })).map(({ attempts }) => attempts)).toEqual([2, 2, 2, 2])
  })

  it('B-21: equal messages of another program reach the dead letters too, one by one', async () => {
    const [main, queue] = [await open({ attemptsMax: 3 }), name()]
    await client.lPush(queue, ['ping', 'ping', 'ping'])
    const attempts: number[] = []
    for (;;) {
      const [message] = await main.receive(queue, { timeout: 0 })
      if (message === undefined) break
      attempts.push(message.attempts)
      await main.nack(queue, message)
    }
    expect(attempts).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3])
    expect(await client.lRange(`${queue}:dead`, 0, -1)).toEqual(['ping', 'ping', 'ping'])
  })

  it('what is remembered of attempts goes once the queue has nothing left', async () => {
    const [main, queue] = [await open(), name()]
    await main.send(queue, { n: 1 })
    await main.nack(queue, await main.receiveOne(queue))
    expect(await client.hLen(`${queue}:attempts`)).toBe(1)
    expect(await client.ttl(`${queue}:attempts`)).toBeGreaterThan(600_000)
    // Another program takes what Weir gave back.
    await client.rPop(queue)
    await main.receive(queue, { timeout: 0 })
    expect(await client.keys(`${queue}*`)).toEqual([])
  })

  it('B-22: leases that end together, and messages that are given back, come in their old order', async () => {
    const [main, queue] = [await open({ leaseMs: 300 }), name()]
    for (let n = 0; n < 8; n++) await main.send(queue, { n })
    await main.receive(queue, { count: 5 })
    await eventually(async () => expect(await client.lLen(queue)).toBe(8))
    const again = await main.receive(queue, { count: 8 })
    expect(again.map(({ payload, attempts }) => [payload['n'], attempts])).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].map((n) => [n, n < 5 ? 2 : 1]),
    )
  })

  it('R18: Weir’s own clock moves neither delays nor leases', async () => {
    const [main, queue] = [await open({ leaseMs: 1500 }), name()]
    await main.check()
    const now = Date.now()
    const clock = vi.spyOn(Date, 'now')
    try {
      for (const offsetMs of [3_600_000, -3_600_000]) {
        clock.mockReturnValue(now + offsetMs)
        const sentMs = performance.now()
        await main.send(queue, { offsetMs }, { delay: 0.3 })
        const first = await main.receiveOne(queue)
        expect(performance.now() - sentMs).toBeGreaterThan(298)
        expect(await main.receive(queue, { timeout: 0 })).toEqual([])
        const second = await main.receiveOne(queue)
        expect([second.id, second.attempts]).toEqual([first.id, 2])
        await main.ack(queue, second)
      }
    } finally {
      clock.mockRestore()
    }
  })

  it('refuses what Weir keeps for itself, and what is no queue, and takes nothing from it', async () => {
    const [main, queue] = [await open(), name()]
    for (const taken of [
      `${queue}:p3`,
      `${queue}:delayed`,
      `${queue}:leases`,
      `${queue}:attempts`,
      'weir:due',
    ]) {
      expect(await codeOf(main.send(taken, {}))).toBe('INVALID_INPUT')
      expect(await codeOf(main.receive(taken, { timeout: 0 }))).toBe('INVALID_INPUT')
    }
    expect(await codeOf(main.call('publish_event', { topic: 'weir:due', event: {} }))).toBe('INVALID_INPUT')
    await client.set(queue, 'of another program')
    const refused = await failureOf(main.send(queue, {}))
    expect([refused.code, refused.message]).toEqual([
      'BROKER_ERROR',
      'The broker "main" (Redis) holds something other than a queue or stream under this name (WRONGTYPE).',
    ])
    expect(await codeOf(main.receive(queue, { timeout: 0 }))).toBe('BROKER_ERROR')
    expect(await codeOf(main.call('publish_event', { topic: queue, event: {} }))).toBe('BROKER_ERROR')
    expect(await client.get(queue)).toBe('of another program')
  })

  it('a move that Redis refuses half way loses nothing', async () => {
    const [main, queue] = [await open({ attemptsMax: 1 }), name()]
    await main.send(queue, { n: 1 })
    await client.set(`${queue}:leases`, 'in the way')
    expect(await codeOf(main.receive(queue, { timeout: 0 }))).toBe('BROKER_ERROR')
    expect(await client.lLen(queue)).toBe(1)
    await client.del(`${queue}:leases`)
    const message = await main.receiveOne(queue)
    await client.set(`${queue}:dead`, 'in the way')
    expect(await codeOf(main.nack(queue, message))).toBe('BROKER_ERROR')
    await client.del(`${queue}:dead`)
    expect((await main.nack(queue, message)).outcome).toBe('dead-lettered')
  })

  it('a queue whose keys are in somebody’s way holds up no other', async () => {
    const [main, spoilt, queue] = [await open({ leaseMs: 100 }), name(), name()]
    await main.send(spoilt, { n: 1 })
    await main.receive(spoilt, { timeout: 0 })
    await client.del(`${spoilt}:leases`)
    await client.set(`${spoilt}:leases`, 'in the way')
    await main.send(queue, { n: 2 }, { delay: 0.5 })
    expect(await client.brPop(queue, 10)).not.toBeNull()
    expect(await client.zScore('weir:due', spoilt)).toBeGreaterThan((await nowMs()) + 30_000)
  })

  it('a queue that is full refuses more, for each priority and for delayed ones', async () => {
    const [main, queue] = [await open({ redis: { queueMessagesMax: 2 } }), name()]
    for (const more of [{}, { priority: 1 }, { delay: 60 }]) {
      await main.send(queue, {}, more)
      await main.send(queue, {}, more)
      const refused = await failureOf(main.send(queue, {}, more))
      expect([refused.code, refused.data?.['sent']]).toEqual(['OVERLOADED', false])
    }
    expect([
      await client.lLen(queue),
      await client.lLen(`${queue}:p1`),
      await client.zCard(`${queue}:delayed`),
    ]).toEqual([2, 2, 2])
  })

  it('an answer holds 4 MiB at most; what is larger alone goes to the dead letters', async () => {
    const [main, queue] = [await open({ messageBytesMax: 2_000_000 }), name()]
    const [huge, large] = ['h'.repeat(4 * 1024 * 1024 + 1), 'x'.repeat(1_500_000)]
    await client.lPush(queue, [huge, 'first'])
    for (let n = 0; n < 3; n++) await main.send(queue, { large })
    const received = await main.receive(queue, { count: 10 })
    expect(received.map(({ payload }) => (payload as unknown as string).length ?? 0)).toEqual([5, 0, 0])
    expect(await client.lLen(queue)).toBe(1)
    expect(bytes((await client.lRange(`${queue}:dead`, 0, -1))[0]!)).toBe(huge.length)
  })

  it('D0-079, D0-091: an event is kept in a stream of bounded length, with its routing key', async () => {
    const [main, topic] = [await open({ redis: { eventsMax: 100 } }), name()]
    const event = {
      type: 'order_created',
      data: { id: 7 },
      timestamp: '2026-01-01T00:00:00',
      source_agent: 'a',
    }
    const answer = await main.call('publish_event', { topic, event, routing_key: 'orders.eu' })
    const [entry] = (await client.xRange(topic, '-', '+')) ?? []
    expect(answer).toEqual({ success: true, event_id: entry!.id, topic })
    expect(entry!.message).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      event: JSON.stringify(event),
      routing_key: 'orders.eu',
    })
    await Promise.all(
      Array.from({ length: 500 }, (_, n) => main.call('publish_event', { topic, event: { n } })),
    )
    // Redis trims whole nodes of a hundred entries.
    expect(await client.xLen(topic)).toBeLessThanOrEqual(200)
    const refused = await failureOf(main.call('publish_event', { topic, event: { x: 'x'.repeat(300_000) } }))
    expect(refused.code).toBe('MESSAGE_TOO_LARGE')
  })
})
