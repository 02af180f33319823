import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { jsonSchema } from '../../core/schema.ts'
import type { Prompt, Target, Tool } from '../../core/tool.ts'
import { createTool } from '../connection.fixture.ts'
import { fingerprintOf } from './fingerprint.ts'
import { matchTemplate } from './match-template.ts'
import { isSameDefinition, isSameOffer, readTargets, writeTargets } from './target-definition.ts'

const inputSchema = { type: 'object', properties: { a: { type: 'string', enum: ['x', 'y'] } } }
const aside = { kind: 'completion', name: 'a', description: '', effect: 'read' } as const
const full: Tool = createTool('full', {
  ...{ title: 'Full', timeoutMs: 5, category: 'files', effect: 'write' },
  input: jsonSchema(inputSchema),
  output: jsonSchema({ type: 'object', required: ['b'] }),
  definition: { name: 'full', inputSchema, _meta: { 'x/y': [1, { z: null }] }, icons: [] },
  tasks: { ...aside, kind: 'task-control', input: jsonSchema({ type: 'object' }), run: async () => ({}) },
})
const prompt: Prompt = {
  ...{ kind: 'prompt', name: 'ask', description: 'Asks.', effect: 'read' },
  input: jsonSchema({ type: 'object' }),
  completion: { ...aside, input: jsonSchema({ type: 'object' }), run: async () => ({}) },
  run: async () => ({}),
}
/** The same with the keys of every object in another order. */
const shuffle = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shuffle)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, shuffle(inner)]),
  )
}

describe('the same definition', () => {
  it('is one whose keys stand in another order, and whose functions are others', () => {
    const { definition, input: _, ...rest } = full
    const other = {
      ...rest,
      input: jsonSchema(shuffle(inputSchema) as never),
      definition: shuffle(definition) as never,
      run: async () => ({ other: true }),
    }
    expect([isSameDefinition(full, other), isSameDefinition(other, full)]).toEqual([true, true])
  })

  const changes: [string, Partial<Record<string, unknown>>][] = [
    ['name', { name: 'other' }],
    ['kind', { kind: 'prompt' }],
    ['title', { title: undefined }],
    ['description', { description: 'changed' }],
    ['effect', { effect: 'destructive' }],
    ['input', { input: jsonSchema({ ...inputSchema, required: ['a'] }) }],
    ['output', { output: undefined }],
    ['a field of the definition that Weir does not know', { definition: { ...full.definition, icons: [1] } }],
    ['a field more of the definition', { definition: { ...full.definition, more: undefined } }],
    ['timeoutMs', { timeoutMs: 6 }],
    ['category', { category: 'other' }],
    ['isOneUse', { isOneUse: true }],
    ['systems', { systems: { field: 'a', names: ['x'] } }],
    ['delegate', { delegate: () => ({ entry: {} as never, input: {} }) }],
    ['tasks', { tasks: undefined }],
    ['a field of tasks', { tasks: { ...full.tasks, timeoutMs: 9 } }],
  ]
  it.each(changes)('is not one with another %s', (_, change) => {
    const other = { ...full, ...change } as unknown as Target
    expect([isSameDefinition(full, other), isSameDefinition(other, full)]).toEqual([false, false])
  })

  it('counts the order of what is offered', () => {
    expect(isSameOffer([full, prompt], [{ ...full }, { ...prompt }])).toBe(true)
    expect(isSameOffer([full, prompt], [prompt, full])).toBe(false)
    expect(isSameOffer([full], [full, prompt])).toBe(false)
  })
})

describe('targets as text', () => {
  it('come back the same, asides and foreign fields included, and cannot be run', () => {
    const own = createTool('own', { input: z.object({ a: z.string().default('x') }) as never })
    const targets = [full, prompt, own]
    const read = readTargets(writeTargets(targets))
    expect(isSameOffer(read, targets)).toBe(true)
    expect(() => (read[0] as Tool).run({}, {} as never)).toThrow('only remembered')
  })

  it('hold an input schema once, which is mostly a part of the definition', () => {
    const description = 'x'.repeat(1_000)
    const schema = { type: 'object', description }
    const tool = createTool('a', { input: jsonSchema(schema), definition: { inputSchema: schema } })
    expect(writeTargets([tool]).length).toBeLessThan(1_500)
    expect(isSameOffer(readTargets(writeTargets([tool])), [tool])).toBe(true)
  })

  it('hold no target that decides by a function of its own', () => {
    expect(writeTargets([createTool('a', { delegate: () => ({ entry: {} as never, input: {} }) })])).toBe(
      '[]',
    )
  })

  it('come back the same whatever JSON their definition is', () => {
    const definition = fc.dictionary(fc.string(), fc.jsonValue())
    fc.assert(
      fc.property(definition, (given) => {
        const tool = createTool('any', { definition: given })
        expect(isSameDefinition(tool, readTargets(writeTargets([tool]))[0])).toBe(true)
        expect(isSameDefinition(tool, { ...tool, definition: shuffle(given) as never })).toBe(true)
        const other = { ...tool, definition: { ...given, [`${Object.keys(given).join()}+`]: 1 } }
        expect(isSameDefinition(tool, other)).toBe(false)
      }),
    )
  })
})

describe('a template', () => {
  it.each([
    ['file:///{path}', 'file:///a/b', true],
    ['file:///{path}', 'file://a', false],
    ['x:{a}/{b}.md', 'x:1/2.md', true],
    ['x:{a}/{b}.md', 'x:1.md', false],
    ['x:{a}a', 'x:a', true],
    ['x:a{a}a', 'x:a', false],
    ['plain:x', 'plain:x', true],
    ['plain:x', 'plain:xy', false],
    ['', '', true],
  ])('%s fits %s: %s', (form, uri, fits) => {
    expect(matchTemplate(form)(uri)).toBe(fits)
  })

  it('S17: takes time that grows with the length of the URI alone', () => {
    const matches = matchTemplate('x:{a}a{b}a{c}a{d}b')
    const start = performance.now()
    expect(matches(`x:${'a'.repeat(1_000_000)}`)).toBe(false)
    expect(performance.now() - start).toBeLessThan(100)
  })
})

describe('a fingerprint', () => {
  it('tells types and configurations apart, whatever the order of keys, and shows no secret', () => {
    const config = { url: 'http://a', headers: { a: 'canary-secret', b: '2' } }
    const print = fingerprintOf('mcp', config)
    expect(fingerprintOf('mcp', shuffle(config))).toBe(print)
    expect(fingerprintOf('http', config)).not.toBe(print)
    expect(fingerprintOf('mcp', { ...config, url: 'http://b' })).not.toBe(print)
    expect(print).toMatch(/^[\w-]{43}$/)
  })
})
