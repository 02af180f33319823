import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  checkParamHeaders,
  checkStandardHeaders,
  decodeHeaderValue,
  encodeHeaderValue,
  nameOf,
  readParamHeaders,
  renderParamHeaders,
} from './headers.ts'

const mismatch = expect.objectContaining({ code: 'HEADER_MISMATCH' })
const at = (path: readonly string[], annotated: object): object => {
  const [name, ...rest] = path
  return name === undefined ? annotated : { type: 'object', properties: { [name]: at(rest, annotated) } }
}
const text = (header: unknown) => ({ type: 'string', 'x-mcp-header': header })

describe('a header value', () => {
  it('comes back as it was, through characters that a header can carry', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const header = encodeHeaderValue(value)
        expect(header).toMatch(/^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/)
        // A lone surrogate has no UTF-8 and becomes the replacement character.
        expect(decodeHeaderValue(header)).toBe(value.toWellFormed())
      }),
    )
  })

  it.each([
    ['us-west1', 'us-west1'],
    ['Hello, 世界', '=?base64?SGVsbG8sIOS4lueVjA==?='],
    [' padded ', '=?base64?IHBhZGRlZCA=?='],
    ['line1\nline2', '=?base64?bGluZTEKbGluZTI=?='],
    ['=?base64?literal?=', '=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?='],
    ['', '=?base64??='],
    ['a b', 'a b'],
  ])('%j is sent as the specification has it', (value, header) => {
    expect(encodeHeaderValue(value)).toBe(header)
  })

  it.each([
    '=?base64?%?=',
    '=?base64?YQ?=',
    '=?base64?YQ=?=',
    '=?base64?Y Q=?=',
    '=?base64?YQ==YQ==?=',
    'é',
    'a\x7f',
  ])('%j is none', (header) => {
    expect(decodeHeaderValue(header)).toBeUndefined()
  })

  it.each([
    '=?BASE64?YQ==?=',
    '=?base64?YQ==',
    'x=?base64?YQ==?=',
  ])('%j is itself: the markers are exact', (header) => {
    expect(decodeHeaderValue(header)).toBe(header)
  })
})

describe('checkStandardHeaders', () => {
  const call = { name: 'get' }
  it.each([
    [{ 'mcp-method': 'tools/call', 'mcp-name': 'get' }, 'tools/call', call],
    [{ 'mcp-method': 'tools/call', 'mcp-name': '=?base64?Z2V0?=' }, 'tools/call', call],
    [{ 'mcp-method': 'tools/list' }, 'tools/list', {}],
    [{ 'mcp-method': 'tools/list', 'mcp-name': 'any' }, 'tools/list', { name: 'other' }],
    [{ 'mcp-method': 'resources/read', 'mcp-name': 'file:///a' }, 'resources/read', { uri: 'file:///a' }],
  ])('S8: takes %j for %s of %j', (headers, method, params) => {
    expect(() => checkStandardHeaders(headers, method, params)).not.toThrow()
  })

  it.each([
    [{}, 'tools/list', {}],
    [{ 'mcp-method': 'tools/call' }, 'tools/call', call],
    [{ 'mcp-method': 'tools/call', 'mcp-name': 'Get' }, 'tools/call', call],
    [{ 'mcp-method': 'tools/call', 'mcp-name': ['get'] }, 'tools/call', call],
    [{ 'mcp-method': 'prompts/get', 'mcp-name': 'a' }, 'prompts/get', { name: 'b' }],
    [
      { 'mcp-method': 'tools/call', 'mcp-name': '=?base64?Zm9v?=' },
      'tools/call',
      { name: '=?base64?Zm9v?=' },
    ],
  ])('S8: refuses %j for %s of %j', (headers, method, params) => {
    expect(() => checkStandardHeaders(headers, method, params)).toThrow(mismatch)
  })

  it('finds the name that each method repeats', () => {
    expect(nameOf('tools/call', { name: 'a', uri: 'b' })).toBe('a')
    expect(nameOf('resources/read', { name: 'a', uri: 'b' })).toBe('b')
    expect(nameOf('tools/list', { name: 'a' })).toBeUndefined()
    expect(nameOf('tools/call', { name: 7 })).toBeUndefined()
    expect(nameOf('constructor', { name: 'a' })).toBeUndefined()
  })
})

describe('readParamHeaders', () => {
  it.each([
    ['no properties', {}, []],
    ['no annotation', at(['a'], { type: 'string' }), []],
    ['one', at(['a'], text('Region')), [{ header: 'mcp-param-region', path: ['a'] }]],
    ['one deep inside', at(['a', 'b', 'c'], text('X')), [{ header: 'mcp-param-x', path: ['a', 'b', 'c'] }]],
    ['a property that is called so', at(['x-mcp-header'], { type: 'string' }), []],
    [
      'a property that is called properties',
      at(['properties'], text('P')),
      [{ header: 'mcp-param-p', path: ['properties'] }],
    ],
  ])('finds %s', (_what, schema, expected) => {
    expect(readParamHeaders(schema as Record<string, unknown>)).toEqual(expected)
  })

  const broken: readonly [string, object][] = [
    ['empty', at(['a'], text(''))],
    ['with a blank', at(['a'], text('a b'))],
    ['with a line break', at(['a'], text('a\r\nb'))],
    ['with a colon', at(['a'], text('a:b'))],
    ['beyond ASCII', at(['a'], text('é'))],
    ['that is no text', at(['a'], text(7))],
    ['at a number', at(['a'], { type: 'number', 'x-mcp-header': 'A' })],
    ['at an object', at(['a'], { type: 'object', 'x-mcp-header': 'A' })],
    ['at no type', at(['a'], { 'x-mcp-header': 'A' })],
    ['at two types', at(['a'], { type: ['string', 'null'], 'x-mcp-header': 'A' })],
    ['twice, whatever its case', { properties: { a: text('Same'), b: text('sAME') } }],
    ['at the root', text('A')],
    ['under items', at(['a'], { type: 'array', items: text('A') })],
    ['under oneOf', { oneOf: [at(['a'], text('A'))] }],
    ['under anyOf in a property', at(['a'], { anyOf: [text('A')] })],
    ['under if', { if: at(['a'], text('A')) }],
    ['under $defs', { $defs: { d: text('A') } }],
    ['under additionalProperties', { additionalProperties: text('A') }],
    [
      'deeper than is searched',
      at(
        Array.from({ length: 20 }, () => 'a'),
        text('A'),
      ),
    ],
  ]
  it.each(broken)('refuses an annotation %s', (_what, schema) => {
    expect(() => readParamHeaders(schema as Record<string, unknown>)).toThrow(
      expect.objectContaining({ code: 'INVALID_PARAMS' }),
    )
  })
})

describe('checkParamHeaders', () => {
  const params = [{ header: 'mcp-param-a', path: ['o', 'a'] }]
  const check = (header: string | string[] | undefined, a: unknown) => () =>
    checkParamHeaders(header === undefined ? {} : { 'mcp-param-a': header }, params, { o: { a } })

  it.each([
    ['x', 'x'],
    ['=?base64?eA==?=', 'x'],
    ['42', 42],
    ['42.0', 42],
    ['-7.000', -7],
    ['true', true],
    ['false', false],
    ['0', 0],
    [undefined, undefined],
    [undefined, null],
    ['=?base64??=', ''],
  ])('S8: %j says %j', (header, value) => {
    expect(check(header, value)).not.toThrow()
  })

  it.each([
    ['x', 'y'],
    ['x', undefined],
    ['null', null],
    [undefined, 'x'],
    [undefined, ''],
    [undefined, false],
    ['42.0', '42'],
    ['42.5', 42],
    ['9007199254740993', '9007199254740992'],
    ['True', true],
    ['1', true],
    ['[object Object]', {}],
    [['x'], 'x'],
  ])('S8: %j does not say %j', (header, value) => {
    expect(check(header, value)).toThrow(mismatch)
  })

  it('S8: a value is looked for where the body has it, not on a prototype', () => {
    const inherited = [{ header: 'mcp-param-a', path: ['constructor', 'name'] }]
    expect(() => checkParamHeaders({}, inherited, {})).not.toThrow()
    expect(() => checkParamHeaders({ 'mcp-param-a': 'Object' }, inherited, {})).toThrow(mismatch)
  })

  it('takes what renderParamHeaders makes, whatever the value', () => {
    const values = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.maxSafeInteger(),
      fc.boolean(),
      fc.constant(null),
    )
    fc.assert(
      fc.property(values, (a) => {
        const input = { o: { a } }
        expect(() => checkParamHeaders(renderParamHeaders(params, input), params, input)).not.toThrow()
      }),
    )
  })
})
