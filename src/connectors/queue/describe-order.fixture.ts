import { expect, it } from 'vitest'
import type { BrokerWorld } from './describe-broker.fixture.ts'
import { failureOf, numbersOf } from './open-queue.fixture.ts'

/** The chapter on what is sent and in which order it is received. */
export function declareOrder(world: BrokerWorld): void {
  const { queueName, open } = world
  it('D0-073, D0-074, D0-077, D0-078: what is sent is received as it was, with a UUID and the time', async () => {
    const [main, queue] = [await open(), queueName()]
    const message = { text: 'ü “x” 💧', list: [1, null, { deep: [] }], empty: {} }
    const beforeMs = Date.now()
    const sent = await main.send(queue, message)
    expect(sent).toEqual({ success: true, message_id: expect.any(String), queue, delayed: false })
    expect(sent.message_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const received = await main.receiveOne(queue)
    expect(received).toEqual({
      id: sent.message_id,
      payload: message,
      priority: 0,
      timestamp: expect.any(Number),
      attempts: 1,
      lease: expect.any(String),
    })
    expect(received.timestamp).toBeGreaterThanOrEqual(beforeMs)
    expect(received.timestamp).toBeLessThanOrEqual(Date.now())
  })

  it('B-22: what is sent first is received first', async () => {
    const [main, queue] = [await open(), queueName()]
    for (let n = 0; n < 12; n++) await main.send(queue, { n })
    expect(numbersOf(await main.drain(queue, 12))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  })

  declarePriorities(world)
  declareDelays(world)
}

function declarePriorities({ given, queueName, open }: BrokerWorld): void {
  const { capabilities, title } = given.kind
  if (capabilities.priorityMax > 0) {
    it('B-20: higher priorities come first, and each in its own order', async () => {
      const [main, queue] = [await open(), queueName()]
      const top = capabilities.priorityMax
      const priorities = [0, top, 1, 0, top, 1]
      for (const [n, priority] of priorities.entries()) await main.send(queue, { n }, { priority })
      const received = await main.drain(queue, 6)
      expect(numbersOf(received)).toEqual([1, 4, 2, 5, 0, 3])
      expect(received.map(({ priority }) => priority)).toEqual([top, top, 1, 1, 0, 0])
    })
  } else {
    it('B-20: a priority is refused, and the refusal names broker and feature', async () => {
      const refused = await failureOf((await open()).send(queueName(), {}, { priority: 1 }))
      expect([refused.code, refused.message]).toEqual([
        'QUEUE_UNSUPPORTED',
        `The broker "main" (${title}) has no priorities.`,
      ])
    })
  }
}

function declareDelays({ given, unitMs, queueName, open }: BrokerWorld): void {
  const { capabilities, title } = given.kind
  if (capabilities.delayMsMax > 0) {
    it('D0-075, B-19: a delayed message comes when its time has come, and not before', async () => {
      const [main, queue] = [await open(), queueName()]
      const sentMs = performance.now()
      const sent = await main.send(queue, { n: 1 }, { delay: (unitMs * 2) / 1000 })
      expect(sent.delayed).toBe(true)
      await main.send(queue, { n: 2 })
      expect(numbersOf(await main.drain(queue, 1))).toEqual([2])
      expect(numbersOf(await main.drain(queue, 1))).toEqual([1])
      // The broker's clock may tick up to a millisecond apart from ours.
      expect(performance.now() - sentMs).toBeGreaterThan(unitMs * 2 - 2)
    })
  } else {
    it('D0-075: a delay is refused, and the refusal names broker and feature', async () => {
      const refused = await failureOf((await open()).send(queueName(), {}, { delay: 1 }))
      expect([refused.code, refused.message]).toEqual([
        'QUEUE_UNSUPPORTED',
        `The broker "main" (${title}) has no delay.`,
      ])
    })
  }
}
