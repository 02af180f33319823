import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultJsonLimits, isObject, parseJson } from './parse-json.ts'

const { depthMax, elementsMax } = defaultJsonLimits
const nested = (levels: number, open = '[', close = ']') => open.repeat(levels) + close.repeat(levels)
const objects = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
const code = (name: string) => expect.objectContaining({ code: name })

describe('parseJson', () => {
  it('agrees with JSON.parse on everything harmless', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8, stringUnit: 'binary' }), (text) => {
        fc.pre(!text.includes('__proto__') && !text.includes('constructor'))
        expect(parseJson(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  it('refuses with PARSE_ERROR exactly what JSON.parse refuses', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', ',', ':', '1', '\\', ' ') }),
        (text) => {
          let isJson = true
          try {
            JSON.parse(text)
          } catch {
            isJson = false
          }
          if (isJson) expect(parseJson(text)).toEqual(JSON.parse(text))
          else expect(() => parseJson(text)).toThrow(code('PARSE_ERROR'))
        },
      ),
    )
  })

  const table: readonly [string, string, string | undefined][] = [
    ['64 arrays', nested(depthMax), undefined],
    ['64 objects', objects(depthMax), undefined],
    ['65 arrays', nested(depthMax + 1), 'BODY_TOO_COMPLEX'],
    ['65 objects', objects(depthMax + 1), 'BODY_TOO_COMPLEX'],
    ['33 of each', `${'[{"a":'.repeat(33)}1${'}]'.repeat(33)}`, 'BODY_TOO_COMPLEX'],
    ['10⁴ levels', nested(10_000), 'BODY_TOO_COMPLEX'],
    ['10⁶ levels that never close', '['.repeat(1_000_000), 'BODY_TOO_COMPLEX'],
    ['65 pairs side by side', `[${Array(65).fill('[]').join(',')}]`, undefined],
    ['1,000 brackets in a text', JSON.stringify('[{'.repeat(500)), undefined],
    ['a text with escaped quotes and brackets', JSON.stringify('"[\\"'.repeat(500)), undefined],
    ['100,000 elements', `[${'0,'.repeat(elementsMax - 2)}0]`, undefined],
    ['100,001 elements', `[${'0,'.repeat(elementsMax)}0]`, 'BODY_TOO_COMPLEX'],
    [
      '100,001 members',
      `{${Array.from({ length: elementsMax + 1 }, (_, at) => `"${at}":0`).join(',')}}`,
      'BODY_TOO_COMPLEX',
    ],
    ['100,001 commas in a text', JSON.stringify(','.repeat(elementsMax + 1)), undefined],
  ]
  it.each(table)('R20: %s', (_what, text, expected) => {
    if (expected === undefined) expect(JSON.stringify(parseJson(text))).toBe(JSON.stringify(JSON.parse(text)))
    else expect(() => parseJson(text)).toThrow(code(expected))
  })

  it('R20: holds to the limits it is given', () => {
    const limits = { depthMax: 2, elementsMax: 3 }
    expect(parseJson('[[1,2]]', limits)).toEqual([[1, 2]])
    expect(() => parseJson('[[[1]]]', limits)).toThrow(code('BODY_TOO_COMPLEX'))
    expect(() => parseJson('[1,2,3,4]', limits)).toThrow(code('BODY_TOO_COMPLEX'))
  })

  it('R20: is linear: 4 MiB of anything takes less than a second', () => {
    for (const text of [
      '['.repeat(2 ** 22),
      `"${'\\\\'.repeat(2 ** 21)}"`,
      `[${'"\\u0041",'.repeat(90_000)}0]`,
    ]) {
      const beganAt = performance.now()
      try {
        parseJson(text)
      } catch {}
      expect(performance.now() - beganAt).toBeLessThan(1_000)
    }
  })

  it.each([
    ['__proto__', '{"__proto__":1}'],
    ['__proto__ deep inside', '{"a":[{"b":{"__proto__":{}}}]}'],
    ['__proto__ in escapes', '{"\\u005f\\u005fproto__":1}'],
    ['__proto__ wholly in escapes', '{"\\u005f\\u005f\\u0070\\u0072\\u006f\\u0074\\u006f\\u005f\\u005f":1}'],
    ['__proto__ twice', '{"__proto__":1,"__proto__":2}'],
    ['constructor.prototype', '{"constructor":{"prototype":{"x":1}}}'],
    ['constructor.prototype in escapes', '{"\\u0063onstructor":{"\\u0070rototype":1}}'],
  ])('S18: refuses %s', (_what, text) => {
    expect(() => parseJson(text)).toThrow(code('FORBIDDEN_KEY'))
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false)
  })

  it.each([
    '{"constructor":"McLaren"}',
    '{"constructor":null}',
    '["__proto__"]',
    '{"a":"__proto__"}',
    '{"prototype":{}}',
  ])('S18: takes %s, which is honest', (text) => {
    expect(parseJson(text)).toEqual(JSON.parse(text))
  })

  it('says no more of a broken body than that it is broken', () => {
    expect(() => parseJson('{"password":"hunter2"')).toThrow(
      expect.objectContaining({ message: 'The body is not valid JSON.' }),
    )
  })
})

describe('isObject', () => {
  it.each([
    [{}, true],
    [[], false],
    [null, false],
    ['x', false],
    [undefined, false],
  ])('of %j is %s', (value, expected) => {
    expect(isObject(value)).toBe(expected)
  })
})
