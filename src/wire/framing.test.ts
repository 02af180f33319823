import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLineDecoder, lineBytesMax } from './framing.ts'

function decode(chunks: readonly Buffer[], bytesMax?: number): string[] {
  const lines: string[] = []
  const decoder = createLineDecoder((line) => lines.push(line), bytesMax)
  for (const chunk of chunks) decoder.push(chunk)
  return lines
}

const tooLong = expect.objectContaining({ code: 'UPSTREAM_PROTOCOL' })

describe('the line decoder', () => {
  it('gives the same lines however the bytes are cut', () => {
    const values = fc.array(fc.jsonValue(), { maxLength: 8 })
    const ends = fc.constantFrom('\n', '\r\n', '\n\n')
    fc.assert(
      fc.property(values, ends, fc.array(fc.nat(), { maxLength: 20 }), (messages, end, places) => {
        const texts = messages.map((message) => JSON.stringify(message))
        const bytes = Buffer.from(texts.map((text) => text + end).join(''))
        const cuts = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort(
          (a, b) => a - b,
        )
        const chunks = cuts.map((to, at) => bytes.subarray(cuts[at - 1] ?? 0, to))
        expect(decode(chunks)).toEqual(texts)
      }),
    )
  })

  it('passes over empty lines and blank ones', () => {
    expect(decode([Buffer.from('\n\r\n  \n1\n\t\n2\n')])).toEqual(['1', '2'])
  })

  it('keeps an unfinished line to itself', () => {
    const lines: string[] = []
    const decoder = createLineDecoder((line) => lines.push(line))
    decoder.push(Buffer.from('{"a":'))
    expect(lines).toEqual([])
    decoder.push(Buffer.from('1}\n'))
    expect(lines).toEqual(['{"a":1}'])
  })

  it('R22: takes a line of the limit, and refuses one byte more as soon as it is there', () => {
    expect(decode([Buffer.from('12345'), Buffer.from('67890\n')], 10)).toEqual(['1234567890'])
    expect(() => decode([Buffer.from('12345'), Buffer.from('678901')], 10)).toThrow(tooLong)
    expect(() => decode([Buffer.from('12345678901\n')], 10)).toThrow(tooLong)
    expect(lineBytesMax).toBe(10 * 1024 * 1024)
  })

  it('R22: counts each line for itself, and forgets a refused one', () => {
    expect(decode([Buffer.from('12345\n'.repeat(100))], 5)).toHaveLength(100)
    const lines: string[] = []
    const decoder = createLineDecoder((line) => lines.push(line), 5)
    expect(() => decoder.push(Buffer.from('123456'))).toThrow(tooLong)
    decoder.push(Buffer.from('ok\n'))
    expect(lines).toEqual(['ok'])
  })

  it('R22: is linear in a long line that comes in small pieces', () => {
    const piece = Buffer.from('x'.repeat(64))
    const beganAt = performance.now()
    decode([...Array.from({ length: 150_000 }, () => piece), Buffer.from('\n')])
    expect(performance.now() - beganAt).toBeLessThan(2_000)
  })
})
