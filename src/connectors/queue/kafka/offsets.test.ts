import { describe, expect, it } from 'vitest'
import { Offsets, type Passing } from './offsets.ts'

const record = (offset: bigint, partition = 0): Passing => ({ partition, offset, isDone: false })

describe('Kafka offsets', () => {
  it('B-21: are committed only as far as everything before is done with', () => {
    const offsets = new Offsets()
    const [first, second, third, other] = [record(5n), record(6n), record(9n), record(1n, 1)]
    for (const each of [first, second, third, other]) expect(offsets.add(each)).toBe(true)
    expect(offsets.finish(second)).toBeUndefined()
    expect(offsets.finish(other)).toBe(2n)
    expect(offsets.finish(first)).toBe(7n)
    expect(offsets.finish(third)).toBe(10n)
  })

  it('know a record that was taken before, until partitions are dealt out anew', () => {
    const offsets = new Offsets()
    offsets.add(record(5n))
    expect(offsets.add(record(5n))).toBe(false)
    expect(offsets.add(record(4n))).toBe(false)
    offsets.clear()
    expect(offsets.add(record(4n))).toBe(true)
  })
})
