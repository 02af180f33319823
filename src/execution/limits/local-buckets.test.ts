import { describe, expect, it } from 'vitest'
import type { RateRule } from '../../core/policy.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { LocalBuckets } from './local-buckets.ts'
import { readQuota } from './quota.ts'

const quota = (limit: RateRule['limit'], more: Partial<RateRule> & { key?: string } = {}) =>
  readQuota({ limit, per: 'caller', ...more }, more.key ?? limit)

function start(max?: number) {
  const clock = createFakeClock()
  const buckets = new LocalBuckets(clock, max)
  /** How many of so many calls at one moment get a token. */
  const count = (calls: number, ...quotas: ReturnType<typeof quota>[]) =>
    Array.from({ length: calls }, () => buckets.take(quotas)).filter(({ isTaken }) => isTaken).length
  return { clock, buckets, count }
}

describe('C-14: a token bucket', () => {
  it.each([
    ['3/second', 1_000, 3],
    ['7/minute', 60_000, 7],
    ['10/hour', 3_600_000, 10],
    ['11/day', 86_400_000, 11],
  ] as const)('%s holds as many as its limit, and has them all back after its unit', async (limit, unitMs, n) => {
    const { clock, count } = start()
    for (let round = 0; round < 5; round += 1) {
      expect(count(n + 5, quota(limit))).toBe(n)
      await clock.advance(unitMs)
    }
  })

  it('is filled evenly, token by token, and not at the end of a window', async () => {
    const { clock, count } = start()
    expect(count(20, quota('10/second'))).toBe(10)
    await clock.advance(99)
    expect(count(5, quota('10/second'))).toBe(0)
    await clock.advance(1)
    expect(count(5, quota('10/second'))).toBe(1)
    await clock.advance(250)
    expect(count(5, quota('10/second'))).toBe(2)
  })

  it('holds its burst and no more, however long nobody came', async () => {
    const { clock, count } = start()
    await clock.advance(3_600_000)
    const own = quota('50/second', { burst: 100 })
    expect(count(150, own)).toBe(100)
    await clock.advance(1_000)
    expect(count(150, own)).toBe(50)
  })

  it('never gives more than the burst and what was refilled, at any rate of asking', async () => {
    const { clock, count } = start()
    let given = 0
    for (let step = 0; step < 3_000; step += 1) {
      given += count(1, quota('3/second'))
      await clock.advance(7)
    }
    expect(given).toBeGreaterThanOrEqual(Math.floor(3 + 21 * 3) - 1)
    expect(given).toBeLessThanOrEqual(3 + 21 * 3)
  })

  it('says when the next token comes, and that is true to the millisecond', async () => {
    const { clock, buckets, count } = start()
    count(10, quota('10/hour'))
    const { waitMs, standing } = buckets.take([quota('10/hour')])
    expect(waitMs).toBe(360_000)
    expect(standing).toEqual({ limit: 10, remaining: 0, resetMs: 3_600_000 })
    await clock.advance(waitMs - 1_000)
    expect(count(1, quota('10/hour'))).toBe(0)
    await clock.advance(1_000)
    expect(count(2, quota('10/hour'))).toBe(1)
  })

  it('R18: does not mind the wall clock', () => {
    const { clock, count } = start()
    count(10, quota('10/hour'))
    clock.setNow(clock.now() + 86_400_000)
    expect(count(1, quota('10/hour'))).toBe(0)
  })

  it('takes a token of every bucket or of none', async () => {
    const { clock, buckets, count } = start()
    const [wide, narrow] = [quota('10/second', { key: 'wide' }), quota('2/minute', { key: 'narrow' })]
    expect(count(9, wide, narrow)).toBe(2)
    expect(buckets.take([wide, narrow]).quota).toBe(narrow)
    // Had refused calls taken of the wide one, it would be empty.
    expect(count(20, wide)).toBe(8)
    await clock.advance(30_000)
    expect(buckets.take([wide, narrow]).standing).toEqual({ limit: 2, remaining: 0, resetMs: 60_000 })
  })

  it('of a tool that declares half a call, or nonsense, fails closed', () => {
    const { count } = start()
    expect(count(3, quota('0.5/hour'))).toBe(1)
    for (const limit of ['0/hour', '-1/hour', 'NaN/hour', '5/week'] as never[]) {
      expect(() => quota(limit)).toThrow('is no limit')
    }
  })
})

describe('the buckets of a process', () => {
  it('forget a full one where they need room, and lose nothing by it', async () => {
    const { clock, buckets, count } = start(3)
    for (const key of ['a', 'b', 'c']) count(1, quota('1/second', { key }))
    await clock.advance(500)
    count(1, quota('1/second', { key: 'b' }))
    await clock.advance(500)
    expect(count(1, quota('1/second', { key: 'd' }))).toBe(1)
    expect(buckets.size).toBe(3)
  })

  it('refuse whoever is new where none is full: to forget one would be to refill it', async () => {
    const { clock, buckets, count } = start(3)
    for (const key of ['a', 'b', 'c']) count(1, quota('1/minute', { key }))
    const refused = buckets.take([quota('1/minute', { key: 'd' })])
    expect(refused).toMatchObject({ isTaken: false, waitMs: 1_000, canWait: false })
    expect(buckets.size).toBe(3)
    for (const key of ['a', 'b', 'c']) expect(count(1, quota('1/minute', { key }))).toBe(0)
    await clock.advance(60_000)
    expect(count(1, quota('1/minute', { key: 'd' }))).toBe(1)
  })

  it('find a full one behind thousands that are not', async () => {
    const { clock, buckets, count } = start(1_000)
    for (let i = 0; i < 999; i += 1) count(1, quota('1/hour', { key: `busy-${i}` }))
    count(1, quota('1/second', { key: 'idle' }))
    await clock.advance(1_000)
    const ask = () => count(1, quota('1/hour', { key: 'new' }))
    // Each look goes on where the last one ended.
    expect(Array.from({ length: 20 }, ask).filter((given) => given === 1)).toHaveLength(1)
    expect(buckets.size).toBe(1_000)
  })
})
