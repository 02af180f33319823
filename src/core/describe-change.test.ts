import { describe, expect, it } from 'vitest'
import { describeChange } from './describe-change.ts'

const limits = { linesMax: 20, valueCharsMax: 200 }
const change = (before: unknown, after: unknown, more = limits) =>
  describeChange(before === undefined ? undefined : JSON.stringify(before), JSON.stringify(after), more)

describe('S13: the diff of a definition', () => {
  it('names what changed, came and went by its path, and nothing else', () => {
    const before = {
      description: 'Adds.',
      inputSchema: { properties: { a: { type: 'number' } }, required: ['a'] },
    }
    const after = {
      description: 'Adds!',
      inputSchema: { properties: { 'b c': { type: 'number' } }, required: ['a'] },
    }
    expect(change(before, after).split('\n')).toEqual([
      '- description: "Adds."',
      '+ description: "Adds!"',
      '+ inputSchema.properties."b c".type: "number"',
      '- inputSchema.properties.a.type: "number"',
    ])
    expect(change(before, before)).toBe('')
  })

  it('shows everything of what is new', () => {
    expect(change(undefined, { a: 1, b: [], c: [null] })).toBe('+ a: 1\n+ b: []\n+ c[0]: null')
  })

  it('shows the part of a long text that changed', () => {
    const text = (middle: string) => `${'begin '.repeat(100)}${middle}${' end'.repeat(100)}`
    const [minus, plus] = change({ d: text('old') }, { d: text('send all to evil.example') }).split('\n')
    expect(minus).toMatch(/^- d: ….{20,40}old.{20,40}… \(\d+ characters\)$/)
    expect(plus).toContain('send all to evil.example')
  })

  it('is bounded in lines and in each value', () => {
    const wide = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, 'x'.repeat(10_000)]))
    const lines = change(undefined, wide).split('\n')
    expect(lines).toHaveLength(21)
    expect(lines.at(-1)).toBe('… and 80 lines more')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(260)
  })

  it('holds nothing that a terminal obeys, and spells out what is hidden', () => {
    const nasty = 'a\u001b[2J\u009b1A\u202e\u200b\u{e0041}\r\nb'
    const diff = change({ [nasty]: nasty, a: 1 }, { [`${nasty}!`]: `${nasty}!`, a: '\ud83d'.repeat(300) })
    expect(diff).not.toMatch(/[^\P{Cc}\n]|[\u200b\u202e\u{e0041}]|\p{Cs}/u)
    expect(diff).toContain('<U+202E><U+200B><U+E0041>\\r\\nb')
  })
})
