import { describe, expect, it } from 'vitest'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { RestartPolicy } from './restart-policy.ts'

const refused = { isExit: false, hasServed: false }
const crashed = { isExit: true, hasServed: false }
const served = { isExit: true, hasServed: true }

/** A policy on a clock of its own. `random` is what the jitter draws. */
function setUp(random = () => 1) {
  const clock = createFakeClock()
  const policy = new RestartPolicy(clock, random)
  policy.begin()
  const crash = async (afterMs = 100) => {
    await clock.advance(afterMs)
    const pauseMs = policy.ended(crashed)
    await clock.advance(pauseMs)
    policy.begin()
    return pauseMs
  }
  return { clock, policy, crash }
}

describe('pauses', () => {
  it('R4: double from 0.5 s up to 30 s where the system cannot be reached', () => {
    const { policy } = setUp()
    const pauses = Array.from({ length: 9 }, () => policy.ended(refused))
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
    expect(policy.isLooping).toBe(false)
  })

  it('R4: are jittered in full', () => {
    const draws = [0, 0.25, 0.5]
    const { policy } = setUp(() => draws.shift() ?? 1)
    expect([1, 2, 3, 4].map(() => policy.ended(refused))).toEqual([0, 250, 1_000, 4_000])
  })

  it('R4: are none after good service, however often it ends', async () => {
    const { clock, policy } = setUp()
    for (let i = 0; i < 20; i += 1) {
      policy.opened()
      await clock.advance(50)
      expect([policy.ended(served), policy.isLooping]).toEqual([0, false])
      policy.begin()
    }
  })

  it('begin again from the shortest after ten seconds without a fall', async () => {
    const { clock, policy } = setUp()
    expect([policy.ended(refused), policy.ended(refused)]).toEqual([500, 1_000])
    policy.begin()
    policy.opened()
    await clock.advance(10_000)
    expect(policy.ended(crashed)).toBe(500)
  })
})

describe('a crash loop', () => {
  it('R4: is five exits within 10 s of their start and before a first answer', async () => {
    const { policy, crash } = setUp()
    const pauses: number[] = []
    for (let i = 0; i < 4; i += 1) pauses.push(await crash(9_999))
    expect(policy.isLooping).toBe(false)
    pauses.push(await crash())
    expect(policy.isLooping).toBe(true)
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 30_000])
  })

  it('R4: is still tried after the longest pauses, of which half is left to chance', async () => {
    const { policy, crash } = setUp(() => 0)
    for (let i = 0; i < 4; i += 1) await crash()
    expect([await crash(), await crash()]).toEqual([15_000, 15_000])
    expect(policy.isLooping).toBe(true)
  })

  it.each([
    ['an answer', async ({ policy }: ReturnType<typeof setUp>) => void policy.ended(served)],
    ['ten seconds of life', async ({ crash }: ReturnType<typeof setUp>) => void (await crash(10_000))],
  ])('R4: ends with %s', async (_, heal) => {
    const all = setUp()
    for (let i = 0; i < 6; i += 1) await all.crash()
    all.policy.opened()
    await heal(all)
    expect(all.policy.isLooping).toBe(false)
  })

  it('is not made of attempts that find nothing to reach', () => {
    const { policy } = setUp()
    for (let i = 0; i < 50; i += 1) policy.ended(refused)
    expect(policy.isLooping).toBe(false)
  })
})

describe('whether a call may wait', () => {
  it('R4: is so for the first attempt, and not after it has failed', () => {
    const { policy } = setUp()
    expect(policy.isHopeful).toBe(true)
    policy.ended(refused)
    expect(policy.isHopeful).toBe(false)
  })

  it('R4: is so for 30 s after a loss, as long as the next attempt comes within them', async () => {
    const { clock, policy } = setUp()
    policy.opened()
    await clock.advance(60_000)
    const hopes: [number, boolean][] = []
    const lostMs = clock.monotonicMs()
    let pauseMs = policy.ended(served)
    for (let i = 0; i < 7; i += 1) {
      await clock.advance(pauseMs)
      policy.begin()
      pauseMs = policy.ended(refused)
      hopes.push([clock.monotonicMs() - lostMs, policy.isHopeful])
    }
    // The attempt at 15.5 s is followed by one at 31.5 s, for which nobody is to wait.
    expect(hopes).toEqual([
      [0, true],
      [500, true],
      [1_500, true],
      [3_500, true],
      [7_500, true],
      [15_500, false],
      [31_500, false],
    ])
  })

  it('is not so in a crash loop', async () => {
    const { policy, crash } = setUp()
    for (let i = 0; i < 5; i += 1) {
      policy.opened()
      await crash()
      expect(policy.isHopeful).toBe(i < 4)
    }
  })
})
