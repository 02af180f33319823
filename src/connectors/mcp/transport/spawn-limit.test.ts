import { describe, expect, it } from 'vitest'
import { createFakeClock } from '../../../testing/fake-clock.ts'
import { SpawnLimit } from './spawn-limit.ts'

function setUp() {
  const clock = createFakeClock()
  const limit = new SpawnLimit(clock)
  const started: number[] = []
  const leaves: (() => void)[] = []
  const start = (n: number, signal = new AbortController().signal) =>
    limit.enter(signal).then((leave) => {
      started.push(n)
      leaves.push(leave)
    })
  return { clock, start, started, leaves }
}

describe('starts at a time', () => {
  it('are four, and the others follow in their order', async () => {
    const { clock, start, started, leaves } = setUp()
    for (let n = 0; n < 10; n += 1) void start(n)
    await clock.advance(0)
    expect(started).toEqual([0, 1, 2, 3])
    leaves[2]?.()
    leaves[2]?.()
    await clock.advance(0)
    expect(started).toEqual([0, 1, 2, 3, 4])
    leaves[0]?.()
    leaves[1]?.()
    await clock.advance(0)
    expect(started).toEqual([0, 1, 2, 3, 4, 5, 6])
  })

  it('give their turn back after 10 s, though they are not done, and only once', async () => {
    const { clock, start, started, leaves } = setUp()
    for (let n = 0; n < 8; n += 1) void start(n)
    await clock.advance(9_999)
    expect(started).toHaveLength(4)
    await clock.advance(1)
    expect(started).toHaveLength(8)
    for (const leave of leaves.slice(0, 4)) leave()
    void start(8)
    await clock.advance(0)
    expect(started).toHaveLength(8)
  })

  it('that are given up leave the queue, and none who asks later gets their turn before its own', async () => {
    const { clock, start, started, leaves } = setUp()
    const stopping = new AbortController()
    for (let n = 0; n < 4; n += 1) void start(n)
    const given = start(4, stopping.signal)
    void start(5)
    stopping.abort(new Error('stopped'))
    await expect(given).rejects.toThrow('stopped')
    await expect(start(6, stopping.signal)).rejects.toThrow('stopped')
    leaves[0]?.()
    await clock.advance(0)
    expect(started).toEqual([0, 1, 2, 3, 5])
    for (const leave of leaves) leave()
    for (let n = 7; n < 12; n += 1) void start(n)
    await clock.advance(0)
    expect(started.slice(5)).toEqual([7, 8, 9, 10])
    expect(clock.pendingMs).toHaveLength(4)
  })
})
