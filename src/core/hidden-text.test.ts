import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { holdsHidden, listHidden, showHidden, stripHidden } from './hidden-text.ts'

const tags = [...'ignore'].map((char) => String.fromCodePoint(0xe0000 + char.charCodeAt(0))).join('')
const variations = String.fromCodePoint(...[0xe0100, 0xe0101, 0xfe00, 0xfe0f, 0xfe0f])

describe('S13: hidden text', () => {
  it.each([
    ['tags', `a${tags}b`],
    ['variation selectors', `a${variations}b`],
    ['zero-width characters', 'a\u200b\u2060\ufeff\u200c\u200db'],
    ['bidi controls', 'a\u202e\u2066\u2069\u200e\u200f\u061cb'],
    ['fillers', 'a\u115f\u3164\uffa0\u034f\u00ad\u180eb'],
    ['invisible operators', 'a\u2061\u2062\u2063\u2064b'],
    ['interlinear notes', 'a\ufff9\ufffbb'],
    ['terminal controls', 'a\u001b\u0007\u0000\u009bb'],
    ['halves of pairs', 'a\ud800\udbffb'],
  ])('S13: %s are taken out', (_what, text) => {
    expect([stripHidden(text), holdsHidden(text)]).toEqual(['ab', true])
  })

  it.each([
    ['Latin', 'Sends “e-mail”\n\tto Zoë – naïve?\r\n'],
    ['Arabic', 'أرسل رسالة'],
    ['Persian, with its joiners', 'می\u200cخواهم'],
    ['Hindi, with its joiners', 'क्\u200dष क्\u200cष'],
    ['Hebrew', 'שלח הודעה'],
    ['Chinese and Japanese', '发送邮件 メールを送る'],
    ['Thai and Korean', 'ส่งอีเมล 이메일'],
    ['emoji', '✉️ 👍🏽 👩\u200d💻 👨\u200d👩\u200d👧 ❤️\u200d🔥 1️⃣ 🏳️\u200d🌈'],
    ['mathematics', '∑ x² ≤ ∞'],
  ])('%s survives', (_what, text) => {
    expect([stripHidden(text), holdsHidden(text)]).toEqual([text, false])
  })

  it('no joiner or selector stays without something visible on its sides', () => {
    expect(stripHidden('مي\u200c\u200c\u200dخ')).toBe('ميخ')
    expect(stripHidden('\u200cخ ✉\ufe0f\ufe0f')).toBe('خ ✉\ufe0f')
    expect(stripHidden('🏴\u{e0067}\u{e0062}\u{e007f}')).toBe('🏴')
  })

  it('is named and shown by its code points', () => {
    expect(listHidden('a\u200bb\u{e0041}\u200b')).toEqual(['U+200B', 'U+E0041', 'U+200B'])
    expect(showHidden('a\u200bb\u001b[2J')).toBe('a<U+200B>b<U+001B>[2J')
  })

  it('leaves no control character in any text, and counts what it takes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const stripped = stripHidden(text)
        expect(stripped).not.toMatch(/[^\P{Cc}\t\n\r]|[\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e0fff}]/u)
        expect(listHidden(text).length).toBe([...text].length - [...stripped].length)
      }),
    )
  })

  it('takes time in proportion to the text', () => {
    const text = `${'ا\u200c'.repeat(100_000)}${'\u0301'.repeat(100_000)}\u200d`.repeat(2)
    const begun = performance.now()
    stripHidden(text)
    expect(performance.now() - begun).toBeLessThan(2_000)
  })
})
