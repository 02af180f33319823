import { describe, expect, it } from 'vitest'
import type { JsonSchema } from '../core/schema.ts'
import { inspectSchema } from './inspect-schema.ts'
import { compileJsonSchema } from './json-schema-validator.ts'

const nest = (levels: number): JsonSchema => (levels === 1 ? {} : { items: nest(levels - 1) })
const wide = (count: number, each: (i: number) => unknown = () => ({})): JsonSchema => ({
  properties: Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, each(i)])),
})

describe('S17: a schema from outside', () => {
  it.each<[string, JsonSchema, JsonSchema, string]>([
    ['depth', nest(32), nest(33), 'it nests deeper than 32 schemas'],
    ['subschemas', wide(999), wide(1_000), 'it holds more than 1000 subschemas'],
    [
      'parts',
      { default: Array.from({ length: 9_998 }, () => ({})) },
      { default: Array.from({ length: 9_999 }, () => ({})) },
      'it holds more than 10000 parts',
    ],
    [
      'size',
      { description: 'é'.repeat(131_000) },
      { description: 'é'.repeat(131_080) },
      'it is larger than 262144 bytes',
    ],
    [
      'patterns',
      wide(50, () => ({ pattern: 'a{999}' })),
      wide(51, () => ({ pattern: 'a{999}' })),
      'its patterns repeat themselves more than 50000 times',
    ],
  ])('is bounded in %s', (_, good, bad, message) => {
    expect(() => inspectSchema(good)).not.toThrow()
    expect(() => inspectSchema(bad)).toThrow(message)
  })

  it.each<[string, JsonSchema]>([
    ['a list', { allOf: Array.from({ length: 1_000 }, () => ({})) }],
    ['definitions', { $defs: wide(1_000)['properties'] }],
    ['a keyword nobody knows', { 'x-more': { y: wide(1_000)['properties'] } }],
    ['a pattern’s properties', { patternProperties: wide(1_000)['properties'] }],
  ])('is counted in %s too', (_, schema) => {
    expect(() => inspectSchema(schema)).toThrow('it holds more than 1000')
  })

  it('may hold many values: an enum of 5,000 entries is one schema', () => {
    const countries = Array.from({ length: 5_000 }, (_, i) => `country-${i}`)
    expect(compileJsonSchema({ enum: countries })('country-4999')).toEqual([])
  })

  it('that is a circle of objects is refused', () => {
    const circle: Record<string, unknown> = {}
    circle['items'] = circle
    expect(() => inspectSchema(circle)).toThrow('it nests deeper')
  })

  it.each([
    '#/default',
    '#/properties/a/enum/0',
    '#/$defs/a/examples',
  ])('refers to schemas only, where they are counted: %s', ($ref) => {
    expect(() => inspectSchema({ $ref })).toThrow(`it refers to "${$ref}", which is no schema`)
  })

  it('has no property patterns that cannot run in linear time', () => {
    expect(() => inspectSchema({ patternProperties: { '^(?!x)': {} } })).toThrow(
      'the property pattern "^(?!x)" has no linear-time form',
    )
  })
})

describe('S17: known bombs end at once', () => {
  const doubling = (levels: number): JsonSchema => {
    const $defs: Record<string, unknown> = { [`a${levels}`]: { type: 'number' } }
    for (let i = 0; i < levels; i += 1) {
      const next = { $ref: `#/$defs/a${i + 1}` }
      $defs[`a${i}`] = { allOf: [next, next] }
    }
    return { $ref: '#/$defs/a0', $defs }
  }

  // None of these ends within a lifetime if it runs: that they end is the proof.
  it('references that double each other', () => {
    expect(() => compileJsonSchema(doubling(200))(1)).toThrow('its references take more than 500000 steps')
  })

  it('references that double each other once a level of the value', () => {
    const child = { allOf: [{ $ref: '#' }, { $ref: '#' }] }
    let value: unknown = {}
    for (let i = 0; i < 60; i += 1) value = { child: value }
    expect(() => compileJsonSchema({ properties: { child } })(value)).toThrow('its references take more than')
  })

  it('a check that was cut off takes nothing from the next one', () => {
    const bomb = compileJsonSchema(doubling(200))
    expect(() => bomb(1)).toThrow()
    expect(compileJsonSchema({ $ref: '#/$defs/n', $defs: { n: { type: 'number' } } })(1)).toEqual([])
  })

  it('a hundred thousand elements, each behind a reference, are no bomb', () => {
    const schema = {
      items: { anyOf: [{ $ref: '#/$defs/n' }, { $ref: '#/$defs/s' }] },
      $defs: { n: { type: 'number' }, s: { type: 'string' } },
    }
    expect(compileJsonSchema(schema)(Array.from({ length: 100_000 }, () => 'x'))).toEqual([])
  })

  it.each<[string, JsonSchema]>([
    ['to itself', { $ref: '#' }],
    ['to itself by a list', { allOf: [{ $ref: '#' }] }],
    ['to each other', { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } }],
    [
      'to itself by 2019’s keyword',
      { $schema: 'https://json-schema.org/draft/2019-09/schema', $recursiveRef: '#' },
    ],
  ])('a reference that leads %s', (_, schema) => {
    expect(() => compileJsonSchema(schema)(1)).toThrow('its references')
  })

  it('450 references to a part of 450 properties', () => {
    const part = wide(450, () => ({ type: 'string', minLength: 2 }))
    const schema = { ...wide(450, () => ({ $ref: '#/$defs/part' })), $defs: { part } }
    expect(compileJsonSchema(schema)({ p7: { p3: 'x' } })).toEqual([
      { path: '/p7/p3', message: 'must NOT have fewer than 2 characters' },
    ])
  })

  it('a hundred thousand objects that must differ', () => {
    const items = Array.from({ length: 100_000 }, (_, i) => ({ i }))
    expect(compileJsonSchema({ uniqueItems: true })(items)).toEqual([])
  })
})
