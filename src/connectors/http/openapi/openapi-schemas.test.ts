import { describe, expect, it } from 'vitest'
import type { JsonSchema } from '../../../core/schema.ts'
import { compileJsonSchema } from '../../../execution/json-schema-validator.ts'
import { convertDocument } from './convert-document.ts'
import { OpenapiDocument } from './document.ts'
import { openapiConfig } from './openapi-config.ts'

type Json = Record<string, unknown>

/** The body's schema of one operation, with what it refers to, and a way to try it. */
function convert(schema: unknown, { openapi = '3.0.3', schemas = {}, ...more }: Json = {}) {
  const content = { 'application/json': { schema } }
  const root = {
    openapi,
    paths: { '/x': { post: { requestBody: { content } } } },
    components: { schemas },
    ...more,
  }
  const { plans, leftOut } = convertDocument(new OpenapiDocument(root as Json), {
    config: openapiConfig.parse({ source: 'x', schemaBytesMax: 256 * 1024, ...(more['config'] as Json) }),
    methods: ['POST'],
    reserved: { headers: new Set(), query: new Set() },
  })
  const [plan] = plans
  const check = plan && compileJsonSchema(plan.input)
  return {
    ...{ plan, leftOut },
    input: plan?.input,
    body: (plan?.input['properties'] as Json | undefined)?.['body'] as Json,
    definitions: (plan?.input['$defs'] ?? {}) as Record<string, JsonSchema>,
    fits: (body: unknown) => check?.({ body }).length === 0,
  }
}

describe('schemas of 3.0 become JSON Schema 2020-12', () => {
  it.each<[string, Json, unknown[], unknown[]]>([
    ['nullable', { type: 'string', nullable: true }, ['a', null], [1]],
    ['nullable with an enumeration', { type: 'string', enum: ['a'], nullable: true }, ['a', null], ['b']],
    ['nullable beside allOf', { allOf: [{ type: 'string' }], nullable: true }, ['a', null], [1]],
    ['nullable beside a reference', { $ref: '#/components/schemas/N', nullable: true }, [1, null], ['a']],
    ['an exclusive minimum', { type: 'number', minimum: 1, exclusiveMinimum: true }, [1.1], [1]],
    ['an exclusive maximum', { type: 'number', maximum: 1, exclusiveMaximum: true }, [0], [1]],
    ['a limit that is not exclusive', { type: 'number', minimum: 1, exclusiveMinimum: false }, [1], [0]],
    ['alternatives that overlap', { oneOf: [{ type: 'integer' }, { type: 'number' }] }, [1, 1.5], ['a']],
    ['an unsatisfiable enumeration', { type: 'string', enum: [1, 2] }, ['a'], [1]],
    [
      'what is no keyword',
      { type: 'any', required: true, items: [], enum: [], pattern: '(', minimum: '1' },
      [1, 'a'],
      [],
    ],
    ['a pattern that looks back', { type: 'string', pattern: '^(?!a)b$' }, ['b', 'a'], [1]],
    ['a negation of a reference', { not: { $ref: '#/components/schemas/N' } }, ['a', 1], []],
    ['a file', { type: 'file' }, ['a'], [1]],
  ])('%s', (_what, schema, good, bad) => {
    const { fits } = convert(schema, { schemas: { N: { type: 'number' } } })
    expect([good.filter((value) => !fits(value)), bad.filter(fits)]).toEqual([[], []])
  })

  it('examples, descriptions and defaults come along within bounds', () => {
    const { body } = convert({
      type: 'string',
      example: 'a',
      description: 'x'.repeat(10_000),
      default: 'y'.repeat(10_000),
    })
    expect(body).toMatchObject({ examples: ['a'], description: `${'x'.repeat(399)}…` })
    expect(body['default']).toBeUndefined()
  })

  it('a discriminator’s mapping says which alternative is which', () => {
    const schemas = {
      Cat: {
        type: 'object',
        required: ['kind'],
        properties: { kind: { type: 'string' }, lives: { type: 'integer' } },
      },
      Dog: {
        type: 'object',
        required: ['kind'],
        properties: { kind: { type: 'string' }, name: { type: 'string' } },
      },
    }
    const mapping = { cat: '#/components/schemas/Cat', dog: 'Dog' }
    const oneOf = Object.keys(schemas).map((name) => ({ $ref: `#/components/schemas/${name}` }))
    const { fits } = convert({ oneOf, discriminator: { propertyName: 'kind', mapping } }, { schemas })
    expect(
      [
        { kind: 'cat', lives: 9 },
        { kind: 'dog', name: 'a' },
      ].map(fits),
    ).toEqual([true, true])
    expect([{ kind: 'cat', lives: 'x' }, { kind: 'cow' }].map(fits)).toEqual([false, false])
  })

  it('fields that only the API sets are no argument, required or not, by reference too', () => {
    const schemas = { Id: { type: 'string', readOnly: true } }
    const properties = {
      id: { $ref: '#/components/schemas/Id' },
      at: { type: 'string', readOnly: true },
      name: {},
    }
    const { body, fits } = convert(
      { type: 'object', required: ['id', 'at', 'name'], properties },
      { schemas },
    )
    expect([body['required'], Object.keys(body['properties'] as Json), fits({ name: 1 })]).toEqual([
      ['name'],
      ['name'],
      true,
    ])
  })
})

describe('schemas of 3.1', () => {
  it.each<[string, Json, unknown[], unknown[]]>([
    ['lists of types', { type: ['string', 'null'] }, ['a', null], [1]],
    ['limits that are numbers', { exclusiveMinimum: 1 }, [2], [1]],
    ['constants and conditions', { if: { const: 1 }, else: false }, [1], [2]],
    ['tuples', { prefixItems: [{ type: 'string' }], items: false }, [['a']], [[1], ['a', 1]]],
    ['what stands beside a reference', { $ref: '#/components/schemas/N', maximum: 5 }, [1], [6, 'a']],
    ['booleans', { properties: { a: false } }, [{}], [{ a: 1 }]],
    [
      'patterns of names',
      { patternProperties: { '^x': { type: 'string' } }, additionalProperties: false },
      [{ xa: 'a' }],
      [{ a: 1 }],
    ],
    [
      'patterns of names that look ahead',
      { patternProperties: { '(?=x)': {} }, additionalProperties: false },
      [{ a: 1 }],
      [],
    ],
    ['dependent fields', { dependentRequired: { a: ['b'] } }, [{ a: 1, b: 1 }], [{ a: 1 }]],
  ])('keep %s', (_what, schema, good, bad) => {
    const { fits } = convert(schema, { openapi: '3.1.0', schemas: { N: { type: 'number' } } })
    expect([good.filter((value) => !fits(value)), bad.filter(fits)]).toEqual([[], []])
  })
})

describe('references', () => {
  const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })

  it('that go round through the value stay, and check as deep as the value is', () => {
    const schemas = { Node: { type: 'object', properties: { next: ref('Node'), n: { type: 'number' } } } }
    const { fits, definitions } = convert(ref('Node'), { schemas })
    expect(Object.keys(definitions)).toEqual(['Node'])
    expect([fits({ next: { next: { n: 1 } } }), fits({ next: { next: { n: 'x' } } })]).toEqual([true, false])
  })

  it.each<[string, Json]>([
    ['to themselves', { A: ref('A') }],
    ['in a ring', { A: ref('B'), B: ref('C'), C: ref('A') }],
    [
      'as alternatives of each other',
      { A: { anyOf: [ref('B'), { type: 'string' }] }, B: { oneOf: [ref('A'), { type: 'number' }] } },
    ],
    ['of parts of each other', { A: { allOf: [ref('B')] }, B: { allOf: [ref('A')] } }],
  ])('S17: that never come to a value are cut: %s', (_how, schemas) => {
    const { fits } = convert(ref('A'), { schemas })
    expect(() => fits('a')).not.toThrow()
    expect(fits('a')).toBe(true)
  })

  it('S17: a parent that lists its children gives them its fields, and can be checked', () => {
    const schemas = {
      Pet: {
        type: 'object',
        required: ['kind'],
        properties: { kind: { type: 'string' } },
        oneOf: [ref('Cat'), ref('Dog')],
      },
      Cat: { allOf: [ref('Pet'), { required: ['lives'] }] },
      Dog: { allOf: [ref('Pet'), { required: ['name'] }] },
    }
    const { fits } = convert(ref('Pet'), { schemas })
    expect([fits({ kind: 'a', lives: 1 }), fits({ kind: 'a' }), fits({ lives: 1 })]).toEqual([
      true,
      false,
      false,
    ])
  })

  it('to names that are no names, or keywords, are definitions of their own', () => {
    const schemas = { 'a b/c': { type: 'string' }, default: { type: 'number' }, a_b_c: { type: 'boolean' } }
    const properties = { a: ref('a b~1c'), b: ref('default'), c: ref('a_b_c'), d: { $ref: '#/paths' } }
    const { fits, definitions } = convert({ properties }, { schemas })
    expect(Object.keys(definitions)).toHaveLength(4)
    expect([fits({ a: 'x', b: 1, c: true }), fits({ a: 1 }), fits({ b: 'x' }), fits({ c: 1 })]).toEqual([
      true,
      false,
      false,
      false,
    ])
  })

  it('S19: elsewhere, or to nothing, allow anything and read nothing', () => {
    for (const $ref of [
      'https://evil.example/a.json',
      'file:///etc/passwd',
      '../a.yaml#/A',
      '#/components/schemas/None',
      '#anchor',
    ])
      expect(convert({ $ref }).fits(1), $ref).toBe(true)
  })
})

describe('S17: a schema that is too large', () => {
  const wide = (count: number, more: Json = {}) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`field${at}`, { type: 'string', ...more }]))

  it('loses descriptions first, and says so', () => {
    const schemas = { A: { type: 'object', properties: wide(20, { description: 'd'.repeat(100) }) } }
    const { plan, definitions } = convert(
      { $ref: '#/components/schemas/A' },
      { schemas, config: { schemaBytesMax: 2_000 } },
    )
    expect(Object.keys(definitions['A']!['properties'] as Json)).toHaveLength(20)
    expect(JSON.stringify(plan!.input).length).toBeLessThanOrEqual(2_000)
    expect(plan!.description).toContain('in less detail')
  })

  it('loses the farthest definitions next, which then allow anything', () => {
    const next = (name: string) => ({ next: { $ref: `#/components/schemas/${name}` } })
    const schemas = {
      A: { type: 'object', properties: { ...wide(10), ...next('B') } },
      B: { type: 'object', properties: { ...wide(10), ...next('C') } },
      C: { type: 'object', properties: wide(100) },
    }
    const { plan, fits } = convert(
      { $ref: '#/components/schemas/A' },
      { schemas, config: { schemaBytesMax: 2_000 } },
    )
    expect(JSON.stringify(plan!.input).length).toBeLessThanOrEqual(2_000)
    expect([fits({ next: { next: { field1: 1 } } }), fits({ next: { field1: 1 } })]).toEqual([true, false])
  })

  it('is left out where it alone is too large', () => {
    const { plan, leftOut } = convert({ properties: wide(1_000) }, { config: { schemaBytesMax: 2_000 } })
    expect([plan, leftOut]).toEqual([
      undefined,
      [{ operation: 'POST /x', why: 'its schema is larger than 2000 bytes' }],
    ])
  })

  it('nests at most 24 schemas one in the other, and has fewer than a thousand', () => {
    let deep: Json = { type: 'string' }
    for (let depth = 0; depth < 90; depth += 1) deep = { properties: { a: deep }, description: `${depth}` }
    expect(convert(deep).fits({ a: { a: 1 } })).toBe(true)
    const schemas = Object.fromEntries(
      Array.from({ length: 2_000 }, (_, at) => [
        `S${at}`,
        { properties: { next: { $ref: `#/components/schemas/S${at + 1}` } } },
      ]),
    )
    const { definitions, fits } = convert({ $ref: '#/components/schemas/S0' }, { schemas })
    expect(Object.keys(definitions).length).toBeLessThan(1_000)
    expect(fits({ next: {} })).toBe(true)
  })
})
