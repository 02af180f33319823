import { describe, expect, it } from 'vitest'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { createDoor } from './door.ts'

const [ada, bob] = ['ada', 'bob'].map((subject) => ({ subject, tenant: 'default' })) as [never, never]
const count = (times: number, pass: () => void) => {
  let passed = 0
  for (let i = 0; i < times; i += 1) {
    try {
      pass()
      passed += 1
    } catch (error) {
      expect(error).toMatchObject({ code: 'RATE_LIMITED' })
    }
  }
  return passed
}

describe('D2-092: the door', () => {
  it('is open without rules', () => {
    const door = createDoor([], createFakeClock())
    expect(count(1_000, () => door.enter())).toBe(1_000)
    expect(count(1_000, () => door.admit(ada))).toBe(1_000)
  })

  it('lets in what each caller has, and what all have together', async () => {
    const clock = createFakeClock()
    const door = createDoor(
      [
        { limit: '50/second', burst: 100, per: 'caller' },
        { limit: '5/second', per: 'all' },
      ],
      clock,
    )
    expect(count(200, () => door.admit(ada))).toBe(100)
    expect(count(200, () => door.admit(bob))).toBe(100)
    expect(count(20, () => door.enter())).toBe(5)
    await clock.advance(1_000)
    expect(count(200, () => door.admit(ada))).toBe(50)
  })
})
