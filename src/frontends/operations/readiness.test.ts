import { describe, expect, it } from 'vitest'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { createReadiness } from './readiness.ts'

const setUp = () => {
  const clock = createFakeClock()
  const readiness = createReadiness(clock)
  const announce = (limitMs: number) => {
    const state = { isDone: false }
    void readiness.announceStop(limitMs).then(() => {
      state.isDone = true
    })
    return state
  }
  return { clock, readiness, announce }
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('R13: a Weir that stops', () => {
  it('waits for nobody where nobody has asked, or not lately', async () => {
    const { clock, readiness, announce } = setUp()
    expect(readiness.ask()).toBe(true)
    await clock.advance(30_001)
    const stop = announce(10_000)
    await turn()
    expect(stop.isDone).toBe(true)
    expect(readiness.isServing).toBe(false)
  })

  it('waits until whoever asks has been told twice, and sends no more calls', async () => {
    const { clock, readiness, announce } = setUp()
    readiness.ask()
    expect(readiness.meet('/mcp')).toBe(true)
    const stop = announce(10_000)
    expect(readiness.ask()).toBe(false)
    await clock.advance(1_000)
    expect(stop.isDone).toBe(false)
    expect(readiness.meet('/mcp')).toBe(false)
    expect(readiness.ask()).toBe(false)
    expect(readiness.meet('/readyz')).toBe(false)
    await clock.advance(299)
    expect(stop.isDone).toBe(false)
    await clock.advance(51)
    expect(stop.isDone).toBe(true)
  })

  it('waits no longer than it may', async () => {
    const { clock, readiness, announce } = setUp()
    readiness.ask()
    const stop = announce(10_000)
    readiness.ask()
    await clock.advance(9_950)
    expect(stop.isDone).toBe(false)
    await clock.advance(50)
    expect(stop.isDone).toBe(true)
  })

  it('waits for nobody where it may not wait', async () => {
    const { readiness, announce } = setUp()
    readiness.ask()
    const stop = announce(0)
    await turn()
    expect(stop.isDone).toBe(true)
  })
})
