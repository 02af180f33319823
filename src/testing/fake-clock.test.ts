import { describe, expect, it } from 'vitest'
import { createFakeClock } from './fake-clock.ts'

describe('the fake clock', () => {
  it('calls timers in the order in which they fall due, each at its own moment', async () => {
    const clock = createFakeClock()
    const called: string[] = []
    const at = (name: string) => () => called.push(`${name} at ${clock.monotonicMs()}`)
    clock.setTimer(at('late'), 20)
    clock.setTimer(at('early'), 10)
    clock.setTimer(at('never'), 31)
    await clock.advance(30)
    expect(called).toEqual(['early at 10', 'late at 20'])
    expect(clock.pendingMs).toEqual([1])
  })

  it('calls what a timer sets, and what a promise behind it sets', async () => {
    const clock = createFakeClock()
    let calls = 0
    const again = async () => {
      calls += 1
      await Promise.resolve()
      clock.setTimer(again, 10)
    }
    clock.setTimer(again, 10)
    await clock.advance(35)
    expect(calls).toBe(3)
  })

  it('forgets a cancelled timer', async () => {
    const clock = createFakeClock()
    let calls = 0
    const timer = clock.setTimer(() => {
      calls += 1
    }, 10)
    timer.cancel()
    timer.cancel()
    await clock.advance(100)
    expect(calls).toBe(0)
    expect(clock.pendingMs).toEqual([])
  })

  it('R18: sets the wall clock without moving the monotonic one', async () => {
    const clock = createFakeClock()
    clock.setNow(5)
    await clock.advance(1)
    expect([clock.now(), clock.monotonicMs()]).toEqual([6, 1])
  })
})
