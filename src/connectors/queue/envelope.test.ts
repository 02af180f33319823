import { describe, expect, it } from 'vitest'
import { createEnvelope, parseEnvelope } from './envelope.ts'

const read = (text: string) => parseEnvelope(Buffer.from(text))

describe('envelopes', () => {
  it('D0-074, B-18: have the documents’ keys in their order, wall-clock milliseconds and ids that never collide', () => {
    const made = Array.from({ length: 1000 }, () => createEnvelope({ a: 1 }, 3, 1_767_225_600_123))
    expect(JSON.stringify(made[0])).toMatch(
      /^\{"payload":\{"a":1\},"priority":3,"timestamp":1767225600123,"id":"[0-9a-f-]{36}"\}$/,
    )
    expect(new Set(made.map(({ id }) => id)).size).toBe(1000)
  })

  it.each([
    [
      'one of Weir',
      '{"payload":{"a":1},"priority":2,"timestamp":5,"id":"x"}',
      { payload: { a: 1 }, priority: 2, timestamp: 5, id: 'x' },
    ],
    [
      'one of the documents’ own program',
      '{"payload": {}, "priority": 0, "timestamp": 8123.4, "id": "q_8123.4"}',
      { payload: {}, priority: 0, timestamp: 8123.4, id: 'q_8123.4' },
    ],
    [
      'one with fields of other types',
      '{"payload":1,"priority":"high","timestamp":"now","id":7}',
      { payload: 1 },
    ],
    [
      'other JSON',
      '{"id":"r1","tool":"x","timestamp":"2026-01-01T00:00:00"}',
      { payload: { id: 'r1', tool: 'x', timestamp: '2026-01-01T00:00:00' } },
    ],
    ['a list', '[1,2]', { payload: [1, 2] }],
    ['a number', '17', { payload: 17 }],
    ['text', 'hello, ü', { payload: 'hello, ü' }],
    ['nothing', '', { payload: '' }],
    ['broken JSON', '{"payload":', { payload: '{"payload":' }],
  ])('reads %s', (_what, text, expected) => {
    expect(read(text)).toEqual(expected)
  })

  it('reads bytes that are no text as base64', () => {
    expect(parseEnvelope(Uint8Array.of(0xff, 0x00, 0x80))).toEqual({ payload: { $bytes: '/wCA' } })
  })

  it('S18, R20: what Weir takes from nobody stays text', () => {
    const deep = '['.repeat(50_000) + ']'.repeat(50_000)
    expect(read(deep)).toEqual({ payload: deep })
    const poisoned = '{"payload":{"__proto__":{"admin":true}}}'
    expect(read(poisoned)).toEqual({ payload: poisoned })
  })
})
