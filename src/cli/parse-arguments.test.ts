import { describe, expect, it } from 'vitest'
import { parseArguments } from './parse-arguments.ts'

const schema = {
  type: 'object',
  properties: {
    text: { type: 'string' },
    count: { type: 'integer' },
    ratio: { type: ['number', 'null'] },
    flag: { type: 'boolean' },
    list: { type: 'array' },
    map: { type: 'object' },
    either: { anyOf: [{ type: 'string' }, { type: 'number' }] },
    level: { enum: [1, 2] },
    word: { const: 'go' },
    open: {},
    shared: { $ref: '#/$defs/pair' },
    circle: { $ref: '#/$defs/circle' },
  },
  $defs: { pair: { type: 'array' }, circle: { $ref: '#/$defs/circle' } },
}

describe('key=value', () => {
  it.each([
    ['text=42', { text: '42' }],
    ['text=a=b', { text: 'a=b' }],
    ['text=', { text: '' }],
    ['count=-7', { count: -7 }],
    ['ratio=0.5', { ratio: 0.5 }],
    ['ratio=null', { ratio: null }],
    ['flag=false', { flag: false }],
    ['list=[1,"a"]', { list: [1, 'a'] }],
    ['map={"a":1}', { map: { a: 1 } }],
    ['either=1', { either: '1' }],
    ['level=2', { level: 2 }],
    ['word=go', { word: 'go' }],
    ['open=1', { open: '1' }],
    ['unlisted=true', { unlisted: 'true' }],
    ['shared=[1]', { shared: [1] }],
    ['circle=1', { circle: '1' }],
  ])('reads %s by the schema', (word, expected) => {
    expect(parseArguments(schema, [word], undefined)).toEqual(expected)
  })

  it.each([
    ['count=many', /"count" takes number, and "many" is not/],
    ['flag=1', /"flag" takes boolean/],
    ['list={}', /"list" takes array/],
    ['ratio=x', /"ratio" takes number or null/],
    ['nothing', /not of the form key=value/],
    ['=x', /not of the form key=value/],
    ['__proto__=x', /__proto__/],
  ])('refuses %s', (word, message) => {
    expect(() => parseArguments(schema, [word], undefined)).toThrow(
      expect.objectContaining({ code: 'INVALID_PARAMS', message: expect.stringMatching(message) }),
    )
  })

  it('refuses an argument that is given twice', () => {
    expect(() => parseArguments(schema, ['text=a', 'text=b'], undefined)).toThrow(/"text" is given twice/)
  })
})

describe('--args', () => {
  it('gives everything, and a word beside it wins', () => {
    expect(parseArguments(schema, ['count=2'], '{"count":1,"text":"t"}')).toEqual({ count: 2, text: 't' })
  })

  it.each(['[]', '"x"', '{', '{"__proto__":{}}'])('refuses %s', (json) => {
    expect(() => parseArguments(schema, [], json)).toThrow(
      expect.objectContaining({ code: 'INVALID_PARAMS' }),
    )
  })
})
