import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PoolSize, splitPool } from './pool-size.ts'

describe('D3-112: the size of a pool follows its use', () => {
  it('grows by half above four fifths, and shrinks by a third below one fifth', () => {
    const pool = new PoolSize({ min: 5, max: 20 })
    const sizes = [5, 7, 11, 17, 17, 3, 0, 0, 0, 0].map((used) => {
      pool.follow(used)
      return pool.size
    })
    expect(sizes).toEqual([8, 12, 18, 20, 20, 14, 9, 6, 5, 5])
  })

  it('B-104: is a whole number within its bounds, whatever the use', () => {
    const bounds = fc
      .tuple(fc.nat(50), fc.nat(50))
      .map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b, 1) }))
    fc.assert(
      fc.property(bounds, fc.array(fc.nat(60)), ({ min, max }, uses) => {
        const pool = new PoolSize({ min, max })
        for (const used of uses) {
          pool.follow(Math.min(used, max))
          expect(Number.isInteger(pool.size)).toBe(true)
          expect(pool.size).toBeGreaterThanOrEqual(min)
          expect(pool.size).toBeLessThanOrEqual(max)
        }
      }),
    )
  })

  it('B-104: comes to rest under a steady use instead of swinging', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.nat(40),
        (min, more, used) => {
          const pool = new PoolSize({ min, max: min + more })
          for (let step = 0; step < 20; step++) pool.follow(Math.min(used, min + more))
          const settled = pool.size
          pool.follow(Math.min(used, min + more))
          expect(pool.size).toBe(settled)
        },
      ),
    )
  })
})

it('C-09: reading and writing share the bound that was set', () => {
  expect(splitPool({ min: 5, max: 20 }, true)).toEqual({
    readers: { min: 5, max: 15 },
    writers: { min: 1, max: 5 },
  })
  expect(splitPool({ min: 5, max: 20 }, false).readers).toEqual({ min: 5, max: 20 })
  expect(splitPool({ min: 2, max: 2 }, true)).toEqual({
    readers: { min: 1, max: 1 },
    writers: { min: 1, max: 1 },
  })
})
