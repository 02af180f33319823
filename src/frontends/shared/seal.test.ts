import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSeal } from './seal.ts'

const secret = 's'.repeat(32)

describe('a seal', () => {
  it('gives back what was sealed, by any holder of the secret, as text that fits a header', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const sealed = createSeal('a', secret).seal(value)
        expect(sealed).toMatch(/^[A-Za-z0-9_-]+$/)
        expect(createSeal('a', secret).open(sealed)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('S6: does not open after any character was changed, added or taken away', () => {
    const seal = createSeal('a', secret)
    const sealed = seal.seal({ who: 'ada' })
    for (let at = 0; at < sealed.length; at += 1) {
      for (const other of ['A', 'B', '_', '!', '']) {
        const changed = sealed.slice(0, at) + other + sealed.slice(at + 1)
        if (changed !== sealed) expect(seal.open(changed), `${at} ${other}`).toBeUndefined()
      }
    }
    for (const more of ['A', '=', '==', ' ', '\n', '!', 'AAAA']) {
      expect(seal.open(sealed + more)).toBeUndefined()
      expect(seal.open(more + sealed)).toBeUndefined()
    }
  })

  it('S6: does not open for another purpose, another secret or another process', () => {
    const sealed = createSeal('session', secret).seal(1)
    expect(createSeal('request-state', secret).open(sealed)).toBeUndefined()
    expect(createSeal('session', 'another').open(sealed)).toBeUndefined()
    expect(createSeal('session', undefined).open(createSeal('session', undefined).seal(1))).toBeUndefined()
  })

  it('never gives the same text twice, and shows nothing of what it holds', () => {
    const seal = createSeal('a', secret)
    expect(seal.seal('canary')).not.toBe(seal.seal('canary'))
    expect(Buffer.from(seal.seal('canary'), 'base64url').toString('latin1')).not.toContain('canary')
  })

  it('opens nothing that it did not seal, and never throws', () => {
    const seal = createSeal('a', secret)
    fc.assert(fc.property(fc.string(), (text) => seal.open(text) === undefined))
    fc.assert(fc.property(fc.base64String(), (text) => seal.open(text) === undefined))
  })
})
