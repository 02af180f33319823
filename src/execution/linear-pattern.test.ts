import fc from 'fast-check'
import { RE2JS } from 're2js'
import { describe, expect, it } from 'vitest'
import { compileJsonSchema } from './json-schema-validator.ts'
import { compileLinearPattern, measurePattern } from './linear-pattern.ts'

const text = (pattern: string) => compileJsonSchema({ type: 'string', pattern })

describe('S17: a pattern', () => {
  // A backtracking engine needs 2^100,000 steps for the first; that these end is the proof.
  it.each([
    ['^(a+)+$', `${'a'.repeat(100_000)}!`],
    ['^(a|aa)+$', `${'a'.repeat(100_000)}!`],
    ['^(.*a){20}$', 'a'.repeat(100_000).concat('!')],
    ['(x+x+)+y', 'x'.repeat(100_000)],
  ])('%s runs in linear time', (pattern, attack) => {
    expect(text(pattern)(attack)).toHaveLength(1)
  })

  it('that needs to look ahead is not checked, and the rest of the schema is', () => {
    const validate = compileJsonSchema({ type: 'string', pattern: '^(?!x)', minLength: 2 })
    expect(validate('xx')).toEqual([])
    expect(validate('x')).toHaveLength(1)
    expect(compileLinearPattern('(a)\\1')).toBeUndefined()
  })

  it('that is no pattern is not checked either', () => {
    expect(compileLinearPattern('(')).toBeUndefined()
  })

  it('is told from another in the same schema, and in another schema', () => {
    const both = compileJsonSchema({ properties: { a: { pattern: '^a$' }, b: { pattern: '^b$' } } })
    expect([both({ a: 'a', b: 'b' }), text('^c$')('c')]).toEqual([[], []])
    expect([both({ a: 'b' }), both({ b: 'a' }), text('^c$')('a')].map((issues) => issues.length)).toEqual([
      1, 1, 1,
    ])
  })

  it.each([
    ['^\\d{3}-[a-z]+\\/$', '123-abc/', '12-abc/'],
    ['^\\u0041\\x42$', 'AB', 'ab'],
    ['^.$', '😀', 'ab'],
    ['^\\p{L}+$', 'Ünï', 'a1'],
    ['^(?<year>\\d{4})$', '2026', '26'],
    ['^[\\w.-]+$', 'a.b-c', 'a b'],
  ])('of JavaScript means here what it means there: %s', (pattern, good, bad) => {
    expect([text(pattern)(good).length, text(pattern)(bad).length]).toEqual([0, 1])
    expect([new RegExp(pattern, 'u').test(good), new RegExp(pattern, 'u').test(bad)]).toEqual([true, false])
  })
})

describe('the measure of a pattern', () => {
  it.each([
    ['abc', 3],
    ['[a-z\\]]{10}', 10],
    ['\\d{3}', 3],
    ['(ab){100}', 400],
    ['((a{10}){10}){10}', 1_220],
    ['a{5,}', 5],
    ['a{2,7}', 7],
    ['x{', 2],
  ])('%s', (pattern, size) => {
    expect(measurePattern(pattern)).toBe(size)
  })

  it('is never far below the program that is built', () => {
    const atom = fc.constantFrom('a', '\\d', '[a-z]', '.', 'é')
    const pattern = fc.letrec<{ one: string }>((tie) => ({
      one: fc.oneof(
        { depthSize: 'small' },
        atom,
        fc.tuple(tie('one'), tie('one')).map(([a, b]) => `${a}${b}`),
        fc.tuple(tie('one'), tie('one')).map(([a, b]) => `(${a}|${b})`),
        fc.tuple(tie('one'), fc.integer({ min: 1, max: 9 })).map(([a, n]) => `(${a}){${n}}`),
        fc.tuple(tie('one'), fc.integer({ min: 1, max: 9 })).map(([a, n]) => `(?:${a}){1,${n}}`),
        tie('one').map((a) => `(${a})*`),
      ),
    })).one
    fc.assert(
      fc.property(pattern, (source) => {
        // The engine itself refuses nested repetitions of over a thousand; there is no program to measure then.
        fc.pre(compileLinearPattern(source) !== undefined)
        const built = RE2JS.compile(RE2JS.translateRegExp(source)) as unknown as { programSize(): number }
        return built.programSize() <= 3 * measurePattern(source) + 10
      }),
    )
  })
})
