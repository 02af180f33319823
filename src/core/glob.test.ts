import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileGlob, compileGlobs } from './glob.ts'

describe('the glob', () => {
  it('agrees with a regular expression on everything', () => {
    const some = (letters: string[], maxLength: number) =>
      fc.array(fc.constantFrom(...letters), { maxLength }).map((chosen) => chosen.join(''))
    fc.assert(
      fc.property(some(['a', 'b', ':', '*'], 8), some(['a', 'b', ':'], 10), (pattern, id) => {
        const oracle = new RegExp(`^${pattern.replaceAll('*', '.*')}$`)
        return compileGlob(pattern)(id) === oracle.test(id)
      }),
      { numRuns: 5_000 },
    )
  })

  it('agrees with a regular expression on ids made to match', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 3 })
    fc.assert(
      fc.property(fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 5 }), (parts) => {
        const pattern = parts.map(([literal]) => literal).join('*')
        const id = parts
          .map(([literal, filling], i) => literal + (i < parts.length - 1 ? filling : ''))
          .join('')
        return compileGlob(pattern)(id)
      }),
    )
  })

  it('does not let two ends of a pattern share a letter', () => {
    expect(['aba', 'abba'].map(compileGlob('ab*ba'))).toEqual([false, true])
  })

  it('stays quick for a pattern of stars', () => {
    // A backtracking matcher would need more steps than there are atoms.
    expect(compileGlob(`${'a*'.repeat(100)}c`)('a'.repeat(10_000))).toBe(false)
  })

  it('fits where any of several does, and nothing where there are none', () => {
    expect(['box:run', 'zoo:run'].map(compileGlobs(['a:*', 'zoo:*']))).toEqual([false, true])
    expect(compileGlobs([])('box:run')).toBe(false)
  })
})
