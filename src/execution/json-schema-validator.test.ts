import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonSchema } from '../core/schema.ts'
import { compileJsonSchema } from './json-schema-validator.ts'

const check = (schema: JsonSchema, value: unknown) => compileJsonSchema(schema)(value)
const fits = (schema: JsonSchema, value: unknown) => check(schema, value).length === 0

describe('a validator', () => {
  it('says where and what: a JSON Pointer and the expectation', () => {
    const schema = { type: 'object', properties: { to: { type: 'array', items: { type: 'string' } } } }
    expect(check(schema, { to: ['ada', 7] })).toEqual([{ path: '/to/1', message: 'must be string' }])
  })

  it.each<[JsonSchema, unknown, string]>([
    [{ additionalProperties: false }, { tpyo: 1 }, 'must NOT have additional properties (found "tpyo")'],
    [{ enum: ['a', 'b'] }, 'c', 'must be equal to one of the allowed values: ["a","b"]'],
    [{ const: 7 }, 8, 'must be equal to constant: 7'],
    [{ required: ['to'] }, {}, "must have required property 'to'"],
  ])('names the value seen or allowed: %j', (schema, value, message) => {
    expect(check(schema, value)).toEqual([{ path: '', message }])
  })

  it('tells at most ten issues, each of at most 200 characters', () => {
    const many = { anyOf: Array.from({ length: 30 }, (_, i) => ({ type: 'object', required: [`p${i}`] })) }
    expect(check(many, {})).toHaveLength(10)
    const [issue] = check({ additionalProperties: false }, { ['x'.repeat(1_000_000)]: 1 })
    expect(issue?.message).toHaveLength(200)
    const [deep] = check({ additionalProperties: { type: 'string' } }, { ['x'.repeat(1_000_000)]: 1 })
    expect(deep?.path).toHaveLength(200)
  })

  it('is compiled once for each schema object', () => {
    const schema = { type: 'string' }
    expect(compileJsonSchema(schema)).toBe(compileJsonSchema(schema))
  })

  it.each<[string, unknown, unknown]>([
    ['email', 'ada@example.com', 'ada'],
    ['uri', 'https://a.example/b', 'not a uri'],
    ['date-time', '2026-11-01T10:00:00Z', '2026-13-01T10:00:00Z'],
    ['date', '2026-02-28', '2026-02-30'],
    ['ipv4', '10.0.0.1', '10.0.0.256'],
    ['ipv6', '::1', ':::1'],
    ['uuid', '123e4567-e89b-42d3-a456-426614174000', '123e4567'],
  ])('checks the format %s', (format, good, bad) => {
    expect([fits({ format }, good), fits({ format }, bad)]).toEqual([true, false])
  })

  it('takes a format it does not know for an annotation', () => {
    expect(fits({ type: 'string', format: 'ada' }, 'anything')).toBe(true)
  })
})

describe('a dialect', () => {
  const tuple7 = { items: [{ type: 'string' }, { type: 'number' }] }
  const tuple2020 = { prefixItems: [{ type: 'string' }, { type: 'number' }] }

  it.each([
    ['draft-07', { $schema: 'http://json-schema.org/draft-07/schema#', ...tuple7 }],
    ['2020-12', { $schema: 'https://json-schema.org/draft/2020-12/schema', ...tuple2020 }],
    ['2020-12, where none is said', tuple2020],
  ])('is read: %s', (_, schema) => {
    expect([fits(schema, ['a', 1]), fits(schema, ['a', 'b'])]).toEqual([true, false])
  })

  it.each([
    'http://json-schema.org/draft-03/schema#',
    'https://example.com/own',
    'x'.repeat(5_000),
  ])('that is not supported is refused: %.50s', ($schema) => {
    expect(() => compileJsonSchema({ $schema })).toThrow(
      /^the dialect ".{1,200}" is not supported; 2020-12 and/,
    )
  })
})

describe('references', () => {
  const node = { type: 'object', properties: { child: { $ref: '#' }, n: { type: 'number' } } }
  const anchored = { properties: { n: { $ref: '#num' } }, $defs: { num: { $anchor: 'num', type: 'number' } } }

  it.each<[string, JsonSchema, unknown, unknown]>([
    ['to the whole', node, { child: { child: { n: 1 } } }, { child: { child: { n: 'x' } } }],
    [
      'to the whole, draft-07',
      { ...node, $schema: 'http://json-schema.org/draft-07/schema#' },
      { n: 1 },
      { n: 'x' },
    ],
    ['to a part', { $ref: '#/$defs/n', $defs: { n: { type: 'number' } } }, 1, 'x'],
    ['to an anchor', anchored, { n: 1 }, { n: 'x' }],
    [
      'to its own URI',
      { $id: 'urn:x:a', $ref: 'urn:x:a#/$defs/n', $defs: { n: { type: 'number' } } },
      1,
      'x',
    ],
    ['to a part’s own URI', { $ref: 'urn:x:b', $defs: { n: { $id: 'urn:x:b', type: 'number' } } }, 1, 'x'],
    [
      'to what is extended',
      { $dynamicAnchor: 'n', properties: { x: { $dynamicRef: '#n' }, y: { type: 'string' } } },
      { x: { y: 'a' } },
      { x: { y: 1 } },
    ],
  ])('lead %s', (_, schema, good, bad) => {
    expect([fits(schema, good), fits(schema, bad)]).toEqual([true, false])
  })

  it('S17: to the network are refused, and nothing is fetched', async () => {
    let requests = 0
    const server = createServer((_request, response) => {
      requests += 1
      response.end('{}')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/schema.json`
    for (const schema of [
      { $ref: url },
      { $dynamicRef: url },
      { $id: url, properties: { a: { $ref: 'other.json' } } },
    ]) {
      expect(() => check(schema, { a: 1 })).toThrow(/can't resolve reference|only supports hash fragment/)
    }
    expect(() => compileJsonSchema({ $schema: url })).toThrow('is not supported')
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => server.close(resolve))
    expect(requests).toBe(0)
  })

  it('of two tools with one $id never meet, at the root or within', () => {
    for (const $id of ['https://example.com/input', 'input', '#input']) {
      const [text, number] = ['string', 'number'].map((type) => ({ $id, type }))
      expect([fits(text!, 'a'), fits(text!, 1), fits(number!, 'a'), fits(number!, 1)], $id).toEqual([
        true,
        false,
        false,
        true,
      ])
    }
    const within = (type: string) => ({ $ref: 'urn:x:x', $defs: { x: { $id: 'urn:x:x', type } } })
    const [text, number] = [compileJsonSchema(within('string')), compileJsonSchema(within('number'))]
    expect([text('a'), number(1)]).toEqual([[], []])
    expect([text(1), number('a')].map((issues) => issues.length)).toEqual([1, 1])
  })
})

describe('names that every object inherits', () => {
  const names = ['constructor', 'toString', 'valueOf', 'hasOwnProperty']

  it.each(names)('are missing where they are not sent: %s', (name) => {
    expect(fits({ type: 'object', properties: { [name]: { type: 'string' } } }, {})).toBe(true)
    expect(fits({ type: 'object', required: [name] }, {})).toBe(false)
    expect(fits({ type: 'object', required: [name] }, { [name]: 'x' })).toBe(true)
  })
})

describe('uniqueItems', () => {
  it('agrees with a comparison of each item with each other', () => {
    const item = fc.jsonValue({ maxDepth: 2 })
    const sameKeys = (value: unknown): string =>
      JSON.stringify(value, (_, inner) =>
        typeof inner === 'object' && inner !== null && !Array.isArray(inner)
          ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
          : inner,
      )
    fc.assert(
      fc.property(fc.array(item, { maxLength: 6 }), (items) => {
        const isUnique = items.every((one, i) =>
          items.every((two, k) => i === k || sameKeys(one) !== sameKeys(two)),
        )
        return fits({ uniqueItems: true }, items) === isUnique
      }),
    )
  })

  it('ignores the order of keys, and can be off', () => {
    const twice = [
      { a: 1, b: [2] },
      { b: [2], a: 1 },
    ]
    expect(check({ uniqueItems: true }, twice)).toEqual([
      { path: '', message: 'must NOT have duplicate items' },
    ])
    expect(fits({ uniqueItems: false }, twice)).toBe(true)
  })
})

describe('the shared instance', () => {
  it('lets a schema go once its validator is gone', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const refs = Array.from({ length: 600 }, (_, i) => {
      const schema = { type: 'object', properties: { [`p${i}`]: { type: 'string' } } }
      compileJsonSchema(schema)({})
      return new WeakRef(schema.properties)
    })
    for (let i = 0; i < 5; i += 1) {
      await new Promise((resolve) => setImmediate(resolve))
      collect()
    }
    // The instance in use still holds what it compiled, at most 200.
    expect(refs.filter((ref) => ref.deref() !== undefined).length).toBeLessThanOrEqual(200)
  })
})
