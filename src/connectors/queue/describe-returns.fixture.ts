import { expect, it } from 'vitest'
import type { BrokerWorld } from './describe-broker.fixture.ts'
import { codeOf, eventually } from './open-queue.fixture.ts'

/** The chapter on messages that are given back. */
export function declareReturns(world: BrokerWorld): void {
  const { given, unitMs, queueName, open } = world
  const { capabilities } = given.kind

  it('B-21: a message that is given back is delivered again at once, as another attempt', async () => {
    const [main, queue] = [await open(), queueName()]
    await main.send(queue, { n: 1 })
    const first = await main.receiveOne(queue)
    expect(await main.nack(queue, first)).toEqual({ success: true, queue, outcome: 'requeued' })
    const second = await main.receiveOne(queue)
    expect([second.id, second.attempts, second.payload]).toEqual([first.id, 2, { n: 1 }])
    expect(await codeOf(main.nack(queue, first))).toBe('LEASE_LOST')
  })

  if (capabilities.returnDelayMsMax > 0) {
    it('B-21: it is given back for later', async () => {
      const [main, queue] = [await open(), queueName()]
      await main.send(queue, { n: 1 })
      const first = await main.receiveOne(queue)
      const backMs = performance.now()
      expect((await main.nack(queue, first, { delay: (unitMs * 2) / 1000 })).outcome).toBe('delayed')
      const second = await main.receiveOne(queue)
      expect(performance.now() - backMs).toBeGreaterThan(unitMs * 2 - 2)
      expect([second.id, second.attempts]).toEqual([first.id, 2])
    })
  } else {
    it('B-21: to give it back for later is refused, and the message stays leased', async () => {
      const [main, queue] = [await open(), queueName()]
      await main.send(queue, { n: 1 })
      const message = await main.receiveOne(queue)
      expect(await codeOf(main.nack(queue, message, { delay: 1 }))).toBe('QUEUE_UNSUPPORTED')
      await main.ack(queue, message)
    })
  }

  if (capabilities.deadLetters) declareDeadLetters(world)
}

function declareDeadLetters({ unitMs, queueName, open }: BrokerWorld): void {
  it('B-21: a refused message goes to the dead letters, from where it can be received', async () => {
    const [main, queue] = [await open({ deadLetter: '{queue}-dead' }), queueName()]
    const { message_id } = await main.send(queue, { n: 1 })
    const message = await main.receiveOne(queue)
    expect((await main.nack(queue, message, { requeue: false })).outcome).toBe('dead-lettered')
    expect(await main.receive(queue, { timeout: 0 })).toEqual([])
    const dead = await main.receiveOne(`${queue}-dead`)
    expect([dead.id, dead.payload]).toEqual([message_id, { n: 1 }])
    await main.ack(`${queue}-dead`, dead)
  })

  it('B-21: after attemptsMax deliveries it goes there too, given back or not', async () => {
    const config = { leaseMs: unitMs * 5, attemptsMax: 2, deadLetter: '{queue}-dead' }
    const [main, queue] = [await open(config), queueName()]
    const { message_id: given } = await main.send(queue, { n: 1 })
    await main.nack(queue, await main.receiveOne(queue))
    expect((await main.nack(queue, await main.receiveOne(queue))).outcome).toBe('dead-lettered')
    expect((await main.receiveOne(`${queue}-dead`)).id).toBe(given)
    const { message_id: forgotten } = await main.send(queue, { n: 2 })
    expect((await main.receiveOne(queue)).attempts).toBe(1)
    expect((await main.receiveOne(queue)).attempts).toBe(2)
    const dead = await eventually(async () => {
      const found = (await main.receive(`${queue}-dead`, { count: 10, timeout: 1 })).find(
        ({ id }) => id === forgotten,
      )
      if (found === undefined) throw new Error('the message has not come yet')
      return found
    })
    expect(dead.payload).toEqual({ n: 2 })
  })
}
