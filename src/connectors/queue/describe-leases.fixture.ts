import { expect, it } from 'vitest'
import type { BrokerWorld } from './describe-broker.fixture.ts'
import { codeOf, failureOf } from './open-queue.fixture.ts'

/** The chapter on leases, and whose they are. */
export function declareLeases({ unitMs, queueName, open }: BrokerWorld): void {
  it('B-21: a leased message is nobody else’s; after its lease it is delivered again, as another attempt', async () => {
    const [main, queue] = [await open({ leaseMs: unitMs * 3 }), queueName()]
    await main.send(queue, { n: 1 })
    const askedMs = performance.now()
    const first = await main.receiveOne(queue)
    const second = await main.receiveOne(queue)
    // The broker's clock may tick up to a millisecond apart from ours.
    expect(performance.now() - askedMs).toBeGreaterThan(unitMs * 3 - 2)
    expect([first.id, first.attempts, second.id, second.attempts]).toEqual([first.id, 1, first.id, 2])
    expect(second.lease).not.toBe(first.lease)
    expect(await codeOf(main.ack(queue, first))).toBe('LEASE_LOST')
    await main.ack(queue, second)
  })

  it('B-21: an acknowledged message never comes again, and can be acknowledged once', async () => {
    const [main, queue] = [await open({ leaseMs: unitMs * 5 }), queueName()]
    await main.send(queue, { n: 1 })
    const message = await main.receiveOne(queue)
    await main.ack(queue, message)
    expect(await codeOf(main.ack(queue, message))).toBe('LEASE_LOST')
    expect(await codeOf(main.nack(queue, message))).toBe('LEASE_LOST')
    expect(await main.receive(queue, { timeout: (unitMs * 8) / 1000 })).toEqual([])
  })

  it('S5: another caller’s lease answers as one that does not exist, and stays whole', async () => {
    const [main, queue] = [await open(), queueName()]
    await main.send(queue, { n: 1 })
    const message = await main.receiveOne(queue)
    const strangers = [
      { subject: 'test:eve', tenant: 'test' },
      { subject: 'test:ada', tenant: 'other' },
      { subject: 'ada', tenant: 'test:test' },
    ]
    const unknown = await failureOf(main.ack(queue, { lease: 'A'.repeat(24) }))
    for (const caller of strangers) {
      const refused = await failureOf(main.ack(queue, message, { caller }))
      expect([refused.code, refused.message, refused.data]).toEqual([
        unknown.code,
        unknown.message,
        unknown.data,
      ])
      const input = { queue_name: queue, lease: message.lease, requeue: true }
      expect(await codeOf(main.call('queue_nack', input, { caller }))).toBe('LEASE_LOST')
    }
    expect(await codeOf(main.ack(`${queue}-other`, message))).toBe('LEASE_LOST')
    expect(await main.receive(queue, { timeout: 0 })).toEqual([])
    await main.ack(queue, message)
  })

  it('leases of a hundred messages differ, and cannot be guessed', async () => {
    const [main, queue] = [await open(), queueName()]
    await Promise.all(Array.from({ length: 100 }, (_, n) => main.send(queue, { n })))
    const leases = (await main.drain(queue, 100)).map(({ lease }) => lease)
    expect(new Set(leases).size).toBe(100)
    // 128 bits take at least 22 characters of base64.
    for (const lease of leases) expect(lease.length).toBeGreaterThanOrEqual(22)
  })
}
