import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSseDecoder, renderSseMessage, type SseEvent, sseHeartbeat } from './sse.ts'

/** Cuts bytes at the given places, wherever those fall: inside lines, line ends and characters. */
function cut(bytes: Uint8Array, places: readonly number[]): readonly Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return ends.map((end, at) => bytes.subarray(ends[at - 1] ?? 0, end))
}

function decode(chunks: readonly Uint8Array[], bytesMax = 1_000_000): SseEvent[] {
  const events: SseEvent[] = []
  const decoder = createSseDecoder(bytesMax, (event) => events.push(event))
  for (const chunk of chunks) decoder.push(chunk)
  return events
}

const bytes = (text: string) => new TextEncoder().encode(text)
const datas = (text: string) => decode([bytes(text)]).map(({ data }) => data)

describe('the decoder', () => {
  it('gives the same events however the bytes are cut and lines are ended', () => {
    const stream = fc.array(fc.jsonValue(), { maxLength: 5 })
    const ends = fc.constantFrom('\n', '\r\n', '\r')
    fc.assert(
      fc.property(stream, ends, fc.array(fc.nat(), { maxLength: 20 }), (values, end, places) => {
        const texts = values.map((value) => JSON.stringify(value))
        // A lone CR waits to see whether a LF follows, so something must follow.
        const text = `${texts.map(renderSseMessage).join(sseHeartbeat)}:\n\n`.replaceAll('\n', end)
        expect(decode(cut(bytes(`${text}:\n`), places)).map(({ data }) => data)).toEqual(texts)
      }),
    )
  })

  it('gives single bytes the same way', () => {
    const all = bytes('event: message\r\nid: 7\r\ndata: {"a":"é世🌊"}\r\n\r\n')
    const single = [...all].map((byte) => Uint8Array.of(byte))
    expect(decode(single)).toEqual([{ event: 'message', id: '7', data: '{"a":"é世🌊"}' }])
  })

  it.each([
    ['several data lines are one text', 'data: a\ndata: b\n\n', ['a\nb']],
    ['one blank after the colon is taken away, a second is not', 'data:a\n\ndata:  b\n\n', ['a', ' b']],
    ['comments say nothing', ': x\n:\ndata: a\n: y\n\n', ['a']],
    ['unknown fields say nothing', 'foo: x\ndata: a\n\n', ['a']],
    ['a colon in the data stays', 'data: a:b\n\n', ['a:b']],
    ['an event without data is none', 'event: ping\n\nid: 1\n\n', []],
    ['an event that never ends is none', 'data: a\n', []],
    ['a byte order mark is passed over', '\ufeffdata: a\n\n', ['a']],
    ['many empty lines are nothing', '\n\n\n\r\n\r\r', []],
  ])('%s', (_what, text, expected) => {
    expect(datas(text)).toEqual(expected)
  })

  it('names the event for one event, and keeps the id for those after', () => {
    expect(decode([bytes('event: e\nid: 1\ndata: a\n\ndata: b\n\n')])).toEqual([
      { event: 'e', data: 'a', id: '1' },
      { event: 'message', data: 'b', id: '1' },
    ])
  })

  it('tells how long to wait before the stream is opened again, and takes no nonsense for it', () => {
    expect(
      decode([bytes('retry: 50\ndata: a\n\nretry: soon\ndata: b\n\n')]).map(({ retryMs }) => retryMs),
    ).toEqual([50, 50])
  })

  it.each([
    ['one line', `data: ${'x'.repeat(200)}`],
    ['one line without an end, in pieces', 'x'.repeat(200)],
    ['many lines', `data: ${'x'.repeat(20)}\n`.repeat(10)],
    ['many empty lines', 'data:\n'.repeat(200)],
  ])('R22: refuses an event over the limit in %s, before it is whole', (_what, text) => {
    const pieces = cut(bytes(text), [30, 60, 90, 120])
    expect(() => decode(pieces, 100)).toThrow(expect.objectContaining({ code: 'UPSTREAM_PROTOCOL' }))
  })

  it('R22: takes any number of events within the limit', () => {
    expect(decode([bytes(`data: ${'x'.repeat(80)}\n\n`.repeat(100))], 100)).toHaveLength(100)
  })

  it('R22: is linear in a long line that comes in small pieces', () => {
    const piece = bytes('x'.repeat(64))
    const beganAt = performance.now()
    decode([bytes('data: '), ...Array.from({ length: 100_000 }, () => piece), bytes('\n\n')], 10_000_000)
    expect(performance.now() - beganAt).toBeLessThan(2_000)
  })
})
