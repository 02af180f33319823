import { describe, expect, it } from 'vitest'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { LeaseTable, leasesMax } from './lease-table.ts'
import { codeOf } from './open-queue.fixture.ts'

const leaseMs = 1000

function createTable() {
  const clock = createFakeClock()
  const expired: string[] = []
  return { clock, expired, table: new LeaseTable<string>(clock, leaseMs, (handle) => expired.push(handle)) }
}

describe('LeaseTable', () => {
  it('S5: gives a handle back to its owner and queue alone, with tokens that cannot be guessed', async () => {
    const { table } = createTable()
    const lease = table.issue('orders', 'ada', 'delivery 1')
    expect(Buffer.from(lease, 'base64url').length).toBeGreaterThanOrEqual(16)
    expect(table.find({ queue: 'orders', owner: 'ada', lease })).toBe('delivery 1')
    const wrong = [
      { queue: 'orders', owner: 'eve', lease },
      { queue: 'others', owner: 'ada', lease },
      { queue: 'orders', owner: 'ada', lease: `${lease}x` },
    ]
    for (const held of wrong)
      expect(await codeOf(Promise.resolve().then(() => table.end(held)))).toBe('LEASE_LOST')
    expect(table.end({ queue: 'orders', owner: 'ada', lease })).toBe('delivery 1')
    expect(() => table.end({ queue: 'orders', owner: 'ada', lease })).toThrow('No such lease')
  })

  it('R18: ends each lease in its own time, on the monotonic clock, and hands the delivery on', async () => {
    const { table, clock, expired } = createTable()
    table.issue('orders', 'ada', 'a')
    await clock.advance(400)
    const kept = table.issue('orders', 'ada', 'b')
    const settled = table.issue('orders', 'ada', 'c')
    clock.setNow(0)
    await clock.advance(599)
    expect(expired).toEqual([])
    await clock.advance(1)
    expect(expired).toEqual(['a'])
    table.end({ queue: 'orders', owner: 'ada', lease: settled })
    await clock.advance(400)
    expect(expired).toEqual(['a', 'b'])
    expect(() => table.find({ queue: 'orders', owner: 'ada', lease: kept })).toThrow('No such lease')
    expect([table.size, clock.pendingMs]).toEqual([0, []])
  })

  it('takes no more than its bound, and says so before anything is taken', () => {
    const { table } = createTable()
    for (let n = 0; n < leasesMax - 2; n++) table.issue('orders', 'ada', 'x')
    expect([table.reserve(1), table.reserve(5)]).toEqual([1, 2])
    table.issue('orders', 'ada', 'x')
    table.issue('orders', 'ada', 'x')
    expect(() => table.reserve(1)).toThrow(`${leasesMax} messages are leased already.`)
  })

  it('forgets everything when the connection of its deliveries dies, and leaves no timer', async () => {
    const { table, clock, expired } = createTable()
    const lease = table.issue('orders', 'ada', 'a')
    table.clear()
    expect(clock.pendingMs).toEqual([])
    expect(() => table.find({ queue: 'orders', owner: 'ada', lease })).toThrow('No such lease')
    table.issue('orders', 'ada', 'b')
    await clock.advance(leaseMs)
    expect(expired).toEqual(['b'])
  })
})
