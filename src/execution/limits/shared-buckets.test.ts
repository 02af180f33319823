import { randomBytes } from 'node:crypto'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { describeWith } from '../../../test/services/describe-with.ts'
import { openRelay, type Relay } from '../../connectors/queue/relay.fixture.ts'
import { systemClock } from '../../core/clock.ts'
import type { RateRule } from '../../core/policy.ts'
import { RedisLink } from '../redis/redis-link.ts'
import { LocalBuckets } from './local-buckets.ts'
import { readQuota } from './quota.ts'
import { createSharedBuckets } from './shared-buckets.ts'

const quota = (limit: RateRule['limit'], burst: number, key = 'k') =>
  readQuota({ limit, burst, per: 'caller' }, key)

describeWith('redis', 'buckets that processes share', (url) => {
  const prefix = `weir-test-${randomBytes(5).toString('hex')}:`
  const redis = createClient({ url })
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
    const keys = await redis.keys(`${prefix}*`)
    if (keys.length > 0) await redis.del(keys)
    await redis.close()
    await relay.close()
  })

  /** One process of several. */
  const open = (at = url) => {
    const lines: object[] = []
    const note = (fields: object) => void lines.push(fields)
    const log = { debug: note, info: note, warn: note, error: note }
    const link = new RedisLink({ url: at, prefix }, { clock: systemClock, log })
    links.push(link)
    return { lines, limiter: createSharedBuckets(link, new LocalBuckets(systemClock), log) }
  }
  const count = async (
    calls: number,
    limiters: ReturnType<typeof open>[],
    ...quotas: ReturnType<typeof quota>[]
  ) => {
    const asked = Array.from({ length: calls }, (_, at) =>
      limiters[at % limiters.length]!.limiter.take(quotas),
    )
    return (await Promise.all(asked)).filter(({ isTaken }) => isTaken).length
  }

  it('D2-093: give all processes together what one has, whoever asks first', async () => {
    const processes = [open(), open(), open()]
    expect(await count(60, processes, quota('1/hour', 20, 'together'))).toBe(20)
    expect(await count(60, processes, quota('1/hour', 20, 'together'))).toBe(0)
  })

  it('take of all or of none, and refill by time', async () => {
    const processes = [open(), open()]
    const [wide, narrow] = [quota('1/hour', 10, 'wide'), quota('20/second', 2, 'narrow')]
    expect(await count(8, processes, wide, narrow)).toBe(2)
    expect(await count(20, processes, wide)).toBe(8)
    const { waitMs } = await processes[0]!.limiter.take([narrow, quota('1/hour', 1, 'other')])
    await sleep(waitMs + 60)
    expect(await count(9, processes, narrow)).toBeGreaterThanOrEqual(1)
  })

  it('say how a caller stands as one process does', async () => {
    const { limiter } = open()
    const own = quota('10/hour', 10, 'standing')
    expect(await limiter.take([own])).toMatchObject({ isTaken: true, standing: { limit: 10, remaining: 9 } })
    await count(9, [open()], own)
    const { isTaken, waitMs, standing } = await limiter.take([own])
    expect([isTaken, standing.remaining]).toEqual([false, 0])
    expect(waitMs).toBeGreaterThan(350_000)
    expect(waitMs).toBeLessThanOrEqual(360_000)
  })

  it('B-127: leave no key that lives for ever, however they are interrupted', async () => {
    for (let round = 0; round < 20; round += 1) {
      const { limiter } = open(relay.url)
      await limiter.take([quota('1/minute', 5, `first-${round}`)])
      const asked = Array.from({ length: 200 }, (_, at) =>
        limiter.take([quota('1/minute', 5, `a-${round}-${at}`), quota('1/minute', 5, `b-${round}-${at}`)]),
      )
      // Some are with Redis by then, some on their way.
      for (let turn = 0; turn < round % 5; turn += 1) await nextTurn()
      relay.cut()
      await Promise.all(asked)
      relay.mend()
    }
    const keys = await redis.keys(`${prefix}limit:*`)
    expect(keys.length).toBeGreaterThan(50)
    const lives = await Promise.all(keys.map((key) => redis.pTTL(key)))
    expect(lives.filter((ms) => ms === -1)).toEqual([])
    expect(keys.filter((key) => key.includes(':a-')).length).toBe(
      keys.filter((key) => key.includes(':b-')).length,
    )
  })

  it('are counted by each process alone while Redis is away, at once and never without a limit', async () => {
    const one = open(relay.url)
    expect(await count(1, [one], quota('1/hour', 3, 'away'))).toBe(1)
    relay.cut()
    const startMs = performance.now()
    expect(await count(50, [one], quota('1/hour', 3, 'away'))).toBe(3)
    expect(await count(50, [one], quota('1/hour', 3, 'away'))).toBe(0)
    expect(performance.now() - startMs).toBeLessThan(500)
    expect(one.lines.filter((line) => 'event' in line && line.event === 'limits.local')).toHaveLength(1)
  })

  it('hold no call up longer than a moment where Redis has fallen silent, and are shared again afterwards', async () => {
    const one = open(relay.url)
    await count(1, [one], quota('1/hour', 3, 'silent'))
    relay.freeze()
    const startMs = performance.now()
    expect(await count(50, [one], quota('1/hour', 3, 'silent'))).toBe(3)
    const tookMs = performance.now() - startMs
    expect(tookMs).toBeGreaterThan(50)
    expect(tookMs).toBeLessThan(400)
    const againMs = performance.now()
    expect(await count(50, [one], quota('1/hour', 3, 'silent'))).toBe(0)
    expect(performance.now() - againMs).toBeLessThan(80)
    relay.mend()
    await expect
      .poll(
        () =>
          count(1, [one], quota('1/hour', 9, `back-${Math.random()}`)).then(() =>
            redis.keys(`${prefix}limit:back-*`),
          ),
        { timeout: 5_000, interval: 100 },
      )
      .not.toEqual([])
  })

  it('are counted alone where a key is of somebody else', async () => {
    await redis.lPush(`${prefix}limit:theirs`, 'x')
    const one = open()
    expect(await count(9, [one], quota('1/hour', 3, 'theirs'))).toBe(3)
    expect(await redis.lRange(`${prefix}limit:theirs`, 0, -1)).toEqual(['x'])
  })
})
