import { expect, it } from 'vitest'
import type { BrokerWorld } from './describe-broker.fixture.ts'
import { codeOf, eventually, failureOf, openQueue } from './open-queue.fixture.ts'

/** The chapter of the suite on brokers that are down: every kind must pass it too. */
export function declareOutages({ given, queueName, open }: BrokerWorld): void {
  it('opens while the broker is down, says so, and serves once it is up', async () => {
    const relay = await given.openRelay()
    try {
      relay.cut()
      const [main, queue] = [await open({ url: relay.url }), queueName()]
      expect(main.connection.targets().length).toBeGreaterThan(0)
      const down = await failureOf(main.check())
      expect([down.code, down.spec.retryable]).toEqual(['BROKER_UNAVAILABLE', true])
      expect(down.message).toContain(`The broker "main" (${given.kind.title})`)
      const refused = await failureOf(main.send(queue, { n: 0 }))
      expect([refused.code, refused.data]).toEqual([
        'BROKER_UNAVAILABLE',
        { connection: 'main', sent: false },
      ])
      expect(await codeOf(main.receive(queue, { timeout: 60 }))).toBe('BROKER_UNAVAILABLE')
      relay.mend()
      await eventually(() => main.check())
      await main.send(queue, { n: 1 })
      const received = await main.receiveOne(queue)
      // What was refused was not kept either.
      expect(received.payload).toEqual({ n: 1 })
      await main.ack(queue, received)
    } finally {
      await relay.close()
    }
  })

  it('heals by itself when the broker’s connections break, and what was leased is not lost', async () => {
    const relay = await given.openRelay()
    try {
      const [main, queue] = [await open({ url: relay.url, leaseMs: 1000 }), queueName()]
      await main.send(queue, { n: 1 })
      const leased = await main.receiveOne(queue)
      relay.cut()
      expect((await failureOf(main.send(queue, { n: 2 }))).code).toBe('BROKER_UNAVAILABLE')
      relay.mend()
      await eventually(() => main.check())
      const again = await main.receiveOne(queue)
      expect([again.id, again.payload]).toEqual([leased.id, { n: 1 }])
      await main.ack(queue, again)
    } finally {
      await relay.close()
    }
  })
}

/** The chapter on receivers that wait while the broker goes, or Weir. */
export function declareEndings({ given, queueName, open }: BrokerWorld): void {
  it('a receiver that waits while the broker goes down is told, or gets its message afterwards', async () => {
    const relay = await given.openRelay()
    try {
      const [main, queue] = [await open({ url: relay.url }), queueName()]
      await main.receive(queue, { timeout: 0 })
      const waiting = main.receive(queue, { timeout: 10 }).catch((thrown: unknown) => thrown)
      relay.cut()
      setTimeout(() => relay.mend(), 300)
      await eventually(() => main.send(queue, { n: 1 }))
      const ended = await waiting
      if (Array.isArray(ended)) expect(ended[0]?.payload).toEqual({ n: 1 })
      else {
        expect(ended).toMatchObject({ code: 'BROKER_UNAVAILABLE' })
        expect((await main.receiveOne(queue)).payload).toEqual({ n: 1 })
      }
    } finally {
      await relay.close()
    }
  })

  it('closes twice and leaves no connection, also while a receiver waits and while it reconnects', async () => {
    const relay = await given.openRelay()
    try {
      const main = await openQueue({ url: relay.url, ...given.config })
      const queue = queueName()
      await main.receive(queue, { timeout: 0 })
      expect(relay.connections).toBeGreaterThan(0)
      const waiting = codeOf(main.receive(queue, { timeout: 60 }))
      await main.close()
      await main.close()
      expect(await waiting).toBe('CONNECTION_UNAVAILABLE')
      expect(await codeOf(main.send(queue, {}))).toBe('CONNECTION_UNAVAILABLE')
      await eventually(async () => expect(relay.connections).toBe(0))
      relay.cut()
      const down = await openQueue({ url: relay.url, ...given.config })
      expect(await codeOf(down.check())).toBe('BROKER_UNAVAILABLE')
      await down.close()
      relay.mend()
      // Longer than the longest pause before another attempt to connect.
      await new Promise((resolve) => setTimeout(resolve, 1500))
      expect(relay.connections).toBe(0)
    } finally {
      await relay.close()
    }
  })
}
