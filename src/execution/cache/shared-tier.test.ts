import { randomBytes } from 'node:crypto'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { describeWith } from '../../../test/services/describe-with.ts'
import { openRelay, type Relay } from '../../connectors/queue/relay.fixture.ts'
import { systemClock } from '../../core/clock.ts'
import { silentLogger } from '../../core/logger.ts'
import type { Outcome } from '../../core/outcome.ts'
import { RedisLink } from '../redis/redis-link.ts'
import { createCached, runOf } from './cache.fixture.ts'

describeWith('redis', 'a cache that processes share', (url) => {
  const redis = createClient({ url })
  const run = `weir-test-${randomBytes(5).toString('hex')}`
  let round = 0
  let prefix = ''
  const links: RedisLink[] = []
  let relay: Relay
  beforeAll(async () => {
    await redis.connect()
    relay = await openRelay(url, 6379)
  })
  afterEach(() => {
    for (const link of links.splice(0)) link.close()
    relay.mend()
  })
  afterAll(async () => {
    const keys = await redis.keys(`${run}*`)
    if (keys.length > 0) await redis.del(keys)
    await redis.close()
    await relay.close()
  })

  const fresh = () => {
    round += 1
    // What means something in a pattern of Redis.
    prefix = `${run}.[${round}]:`
  }
  /** One process of several, which hears the others. */
  const open = async (at = url) => {
    const link = new RedisLink({ url: at, prefix }, { clock: systemClock, log: silentLogger })
    links.push(link)
    const before = Number((await redis.pubSubNumSub(`${prefix}cache:forget`))[`${prefix}cache:forget`])
    const cached = createCached({ redis: link })
    await expect
      .poll(async () => Number((await redis.pubSubNumSub(`${prefix}cache:forget`))[`${prefix}cache:forget`]))
      .toBe(before + 1)
    await link.send(['PING'])
    return cached
  }
  const stored = () => redis.keys(`${prefix.replaceAll('[', '\\[')}cache:*`)
  const untilStored = (count: number) => expect.poll(async () => (await stored()).length).toBe(count)
  const writes = [{ effect: 'write', name: 'set' }, { invalidates: ['box:get_*'] }] as const

  it('D2-030, D2-032: answers in one what another was answered, for as long as that is good', async () => {
    fresh()
    const [one, two] = [await open(), await open()]
    await one.tool()()
    await untilStored(1)
    const [key = ''] = await stored()
    expect(await redis.pTTL(key)).toBeGreaterThan(59_000)
    expect(await redis.pTTL(key)).toBeLessThanOrEqual(60_000)
    expect(await two.tool()()).toMatchObject({
      result: { structuredContent: { run: 1 }, _meta: { 'weir/cache': { hit: true } } },
    })
    await two.tool()()
    expect(two.ran).toEqual([])
    expect(two.cache.stats()).toMatchObject({ l1_hits: 1, l1_misses: 1, l2_hits: 1, l2_misses: 0 })
  })

  it('B-69: fills the memory for no longer than the answer has left', async () => {
    fresh()
    const [one, two] = [await open(), await open()]
    await one.tool()()
    await untilStored(1)
    const [key = ''] = await stored()
    await redis.pExpire(key, 10_000)
    await two.tool()()
    await redis.del(key)
    await two.clock.advance(9_000)
    await two.tool()()
    expect(two.ran).toHaveLength(0)
    await two.clock.advance(1_001)
    await two.tool()()
    expect(two.ran).toHaveLength(1)
  })

  it('D2-035, B-69: forgets in every process and in Redis what a write in one makes wrong', async () => {
    fresh()
    const [one, two] = [await open(), await open()]
    const [get, other] = [two.tool({ name: 'get_x' }), two.tool({ name: 'other' })]
    await get()
    await other()
    await untilStored(2)
    await one.tool(...writes)()
    expect(await stored()).toEqual([expect.stringContaining('cache:box:other:')])
    await expect.poll(() => two.cache.stats().l1_size).toBe(1)
    expect(runOf(await get())).toBe(3)
    expect(runOf(await other())).toBe(2)
  })

  it('B-70: does not let a read of one process put back what a write of another has forgotten', async () => {
    fresh()
    const [one, two] = [await open(), await open()]
    let answer = (_outcome: Outcome) => {}
    two.behave = () =>
      new Promise((resolve) => {
        answer = resolve
      })
    const reading = two.tool({ name: 'get_x' })()
    await expect.poll(() => two.ran.length).toBe(1)
    await one.tool(...writes)()
    answer({ kind: 'complete', result: { structuredContent: { run: 'old' } } })
    await reading
    await one.tool({ name: 'other' })()
    await untilStored(1)
    expect(await stored()).toEqual([expect.stringContaining('cache:box:other:')])
  })

  it('B-70: does not take from Redis what is forgotten while it looks', async () => {
    fresh()
    const [one, two] = [await open(), await open()]
    await one.tool({ name: 'get_x' })()
    await untilStored(1)
    two.behave = (_call, run) => ({ structuredContent: { run: `new-${run}` } })
    const get = two.tool({ name: 'get_x' })
    const reading = get()
    await Promise.all([reading, two.tool(...writes)()])
    expect(runOf(await get())).toMatch(/^new-/)
  })

  it('B-69: forgets everything where it may have missed what others forgot', async () => {
    fresh()
    const [one, two] = [await open(relay.url), await open()]
    await one.tool({ name: 'get_x' })()
    await untilStored(1)
    relay.cut()
    await two.tool(...writes)()
    expect(one.cache.stats().l1_size).toBe(1)
    relay.mend()
    await expect.poll(() => one.cache.stats().l1_size, { timeout: 5_000 }).toBe(0)
  })

  it.each([
    ['pickled objects', '\x80\x04\x95cposix\nsystem\n'],
    ['another version', '2 60000 0 {"result":{}}'],
    ['no JSON', '1 60000 0 {'],
    ['an error that is no “not found”', '1 60000 0 {"missing":{"code":"INTERNAL","message":"x"}}'],
    ['a list', '1 60000 0 []'],
    ['too much', `1 60000 0 {"result":{"t":"${'x'.repeat(300_000)}"}}`],
  ])('B-63: takes for an answer nothing but its own JSON: %s', async (_, value) => {
    fresh()
    const [one, two] = [await open(), await open()]
    await one.tool()()
    await untilStored(1)
    const [key = ''] = await stored()
    await redis.set(key, value, { expiration: { type: 'PX', value: 60_000 } })
    expect(runOf(await two.tool()())).toBe(1)
    expect(two.ran).toHaveLength(1)
  })

  it('D2-037: goes on without Redis, at once or nearly so, and fails no call', async () => {
    fresh()
    const one = await open(relay.url)
    const call = one.tool()
    for (const breakIt of ['cut', 'freeze'] as const) {
      relay[breakIt]()
      const startMs = performance.now()
      expect((await call({ input: { breakIt } })).kind).toBe('complete')
      expect((await call({ input: { breakIt } })).kind).toBe('complete')
      await one.tool(...writes)()
      expect(performance.now() - startMs).toBeLessThan(600)
      relay.mend()
    }
    expect(one.ran).toHaveLength(4)
  })

  it('does not read in Redis what it could not have forgotten there, until it has', async () => {
    fresh()
    const [one, two] = [await open(relay.url), await open()]
    await two.tool({ name: 'get_x' })()
    await untilStored(1)
    relay.cut()
    await one.tool(...writes)()
    relay.mend()
    const get = one.tool({ name: 'get_x' })
    expect(runOf(await get())).toBe(2)
    let n = 0
    await expect
      .poll(
        async () => {
          n += 1
          await get({ input: { n } })
          return (await stored()).some((key) => key.includes('get_x')) && two.cache.stats().l1_size
        },
        { timeout: 5_000 },
      )
      .toBe(0)
  })
})
