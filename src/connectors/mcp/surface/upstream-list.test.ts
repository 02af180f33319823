import { describe, expect, it } from 'vitest'
import type { Prompt } from '../../../core/tool.ts'
import { createLog } from '../../../telemetry/log.ts'
import { createFakeClock } from '../../../testing/fake-clock.ts'
import { UpstreamList } from './upstream-list.ts'

/** A list whose server tells of a change as soon as it has been read, or every 10 ms. */
function setUp(describeNow: (reading: number) => string, workMs = 0) {
  const clock = createFakeClock()
  const found = { readings: 0, changes: 0, workedMs: 0 }
  const list = new UpstreamList({
    async fetch() {
      found.readings += 1
      return new Map([['p', { name: 'p', description: describeNow(found.readings) }]])
    },
    convert: (name, definition) => {
      const text = String(definition['description'])
      return { target: { kind: 'prompt', name, description: text } as Prompt, text }
    },
    onChange: () => {
      found.changes += 1
      found.workedMs += workMs
    },
    ...{ noun: 'prompt', log: createLog(() => {}) },
    clock: { ...clock, monotonicMs: () => clock.monotonicMs() + found.workedMs },
  })
  const flood = async (forMs: number) => {
    for (let ms = 0; ms < forMs; ms += 10) {
      list.markStale()
      await clock.advance(10)
    }
  }
  return { list, clock, found, flood }
}

describe('S13: a server that says without end that a list has changed', () => {
  it('has it read twice a second at most, also where its news come after each reading', async () => {
    const { found, flood } = setUp(() => 'the same')
    await flood(20_000)
    expect(found.readings).toBeGreaterThan(30)
    expect(found.readings).toBeLessThanOrEqual(41)
  })

  it('has it read ever more seldom where it did change each time, and soon again after a calm minute', async () => {
    const { list, clock, found, flood } = setUp((reading) => `the ${reading}th`)
    await flood(10 * 60_000)
    // Ten at once, six after growing pauses, then one in half a minute.
    expect(found.changes).toBeGreaterThan(20)
    expect(found.changes).toBeLessThan(40)
    await clock.advance(91_000)
    const calm = found.readings
    list.markStale()
    await clock.advance(100)
    expect(found.readings).toBe(calm + 1)
    await flood(3_000)
    expect(found.readings).toBeGreaterThanOrEqual(calm + 5)
  })

  it('takes a twentieth of the time where taking it in takes long', async () => {
    const { found, flood } = setUp((reading) => `the ${reading}th`, 100)
    await flood(18_000)
    expect([found.changes > 5, found.workedMs <= 1_100]).toEqual([true, true])
  })

  it('loses no change: what it said last is read when the pause is over', async () => {
    let last = false
    const { list, clock, found, flood } = setUp((reading) => (last ? 'last' : `the ${reading}th`))
    await flood(60_000)
    last = true
    list.markStale()
    const { changes } = found
    await clock.advance(30_500)
    expect([found.changes, list.items[0]?.target.description]).toEqual([changes + 1, 'last'])
  })
})
