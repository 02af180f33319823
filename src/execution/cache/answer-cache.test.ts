import { describe, expect, it } from 'vitest'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { createCall, createEntry } from '../call.fixture.ts'
import { createCached, runOf } from './cache.fixture.ts'
import { createKeyOf } from './cache-key.ts'
import { Flights } from './flights.ts'
import { MemoryTier } from './memory-tier.ts'

const small = { entriesMax: 3, bytesMax: 1_000 }
const life = { ttlMs: 1_000, staleMs: 0 }
const one = { answer: { result: {} }, bytes: 10 }

describe('D2-033, B-66: the memory of the cache', () => {
  it('lets go of the least recently used, and of nothing where an answer is replaced', () => {
    const tier = new MemoryTier(createFakeClock(), small)
    for (const key of ['a', 'b', 'c', 'b']) tier.set(key, one, life)
    expect(tier.size).toBe(3)
    tier.get('a')
    tier.set('d', one, life)
    expect(['a', 'b', 'c', 'd'].filter((key) => tier.get(key) !== undefined)).toEqual(['a', 'b', 'd'])
  })

  it('weighs no more than it may, and counts what leaves it', async () => {
    const clock = createFakeClock()
    const tier = new MemoryTier(clock, small)
    tier.set('a', { ...one, bytes: 600 }, life)
    tier.set('b', { ...one, bytes: 600 }, life)
    expect([tier.size, tier.bytes]).toEqual([1, 600])
    tier.set('huge', { ...one, bytes: 1_001 }, life)
    expect([tier.size, tier.bytes]).toEqual([1, 600])
    await clock.advance(1_000)
    expect(tier.get('b')).toBeUndefined()
    expect(tier.bytes).toBe(0)
  })

  it('B-69: keeps nothing for longer than its own time', async () => {
    const clock = createFakeClock()
    const tier = new MemoryTier(clock)
    tier.set('a', one, { ttlMs: 10, staleMs: 0 })
    tier.set('b', one, { ttlMs: 86_400_000, staleMs: 0 })
    await clock.advance(10)
    expect([tier.get('a'), tier.get('b') === undefined]).toEqual([undefined, false])
    await clock.advance(300_000)
    expect(tier.get('b')).toBeUndefined()
  })
})

describe('the cache', () => {
  it('B-68, D2-036: counts each request once a tier', async () => {
    const cached = createCached()
    const call = cached.tool()
    for (let i = 0; i < 4; i += 1) await call()
    expect(cached.cache.stats()).toEqual({
      l1_size: 1,
      l1_max_size: 1_000,
      l1_hits: 3,
      l1_misses: 1,
      l1_hit_rate: 0.75,
      l2_hits: 0,
      l2_misses: 0,
      l2_hit_rate: 0,
    })
    expect(cached.metrics.render()).toContain('weir_cache_hits_total{tier="l1"} 3\n')
    expect(cached.metrics.render()).toContain('weir_cache_entries 1\n')
  })

  it('B-65: uses one kind of pattern: * stands for anything, and everything else for itself', async () => {
    const cached = createCached()
    const call = cached.tool({ name: 'user:7' })
    await call()
    for (const pattern of ['box', 'box:', 'box:user:?', 'user:*', 'box:user:[7]', 'box:user:*:*']) {
      await cached.cache.forget([pattern])
      expect(runOf(await call())).toBe(1)
    }
    await cached.cache.forget(['box:user:*'])
    expect(runOf(await call())).toBe(2)
  })

  it('keeps an answer after its time where a fallback may want it, and only for so long', async () => {
    const cached = createCached()
    const call = cached.tool({}, { cache: { ttlMs: 1_000 }, fallback: { staleMs: 5_000 } })
    await call()
    const key = createKeyOf(createEntry(), false)(createCall(createEntry()))
    await cached.clock.advance(1_000)
    expect(cached.cache.get(key)).toBeUndefined()
    expect(cached.cache.getStale(key, 5_000)?.answer).toEqual({ result: { structuredContent: { run: 1 } } })
    expect(cached.cache.getStale(key, 0)).toBeUndefined()
    await cached.clock.advance(5_000)
    expect(cached.cache.getStale(key, 5_000)).toBeUndefined()
  })

  it('S16: has nothing of arguments or callers in a key but their hash', () => {
    const key = createKeyOf(
      createEntry(),
      false,
    )(createCall(createEntry(), { input: { password: 'canary' } }))
    expect(key).toMatch(/^box:echo:[\w-]{43}$/)
  })

  it('lets no more than so many be waited for; the rest run each for itself', () => {
    const flights = new Flights(1)
    const first = flights.start('a:1')
    expect(flights.start('b:1')).toBeUndefined()
    first!.land('alone')
    expect(flights.start('b:1')).toBeDefined()
  })
})
