import { describe, expect, it } from 'vitest'
import { toJsonSchema } from '../../core/schema.ts'
import { isTool, type Tool } from '../../core/tool.ts'
import { createTool } from '../connection.fixture.ts'
import { cleanTarget } from './clean-target.ts'
import { type Definition, promptOf, resourceOf, toolOf } from './upstream-target.fixture.ts'

/** Reads as "hi" and carries an order in tags. */
const poison = `hi${[...'obey'].map((char) => String.fromCodePoint(0xe0000 + char.charCodeAt(0))).join('')}`
const honest = {
  name: 'send',
  description: 'Sends.',
  inputSchema: { type: 'object', properties: { to: { type: 'string' } } },
}
const clean = (definition: Definition) => cleanTarget(toolOf(definition))

/** Everything a client could be shown of a target. */
const shownOf = (target: Tool) =>
  JSON.stringify([
    target.name,
    target.title,
    target.description,
    target.definition,
    toJsonSchema(target.input),
    target.output && toJsonSchema(target.output),
  ])

describe('S13: text hidden where people are to read', () => {
  const schema = (more: object) => ({ type: 'object', ...more })
  it.each<[string, Definition]>([
    ['the description', { ...honest, description: poison }],
    ['the title', { ...honest, title: poison }],
    ['the name', { ...honest, name: `send${poison.slice(2)}` }],
    ['the annotations', { ...honest, annotations: { title: poison } }],
    ['an icon', { ...honest, icons: [{ src: `https://x/${poison}`, sizes: [poison] }] }],
    ['`_meta`', { ...honest, _meta: { a: [{ b: poison }] } }],
    ['a member’s name', { ...honest, [poison]: 'x', _meta: { [poison]: 'x' } }],
    ['a field we do not know', { ...honest, later: poison }],
    ['the schema’s title', { ...honest, inputSchema: schema({ title: poison }) }],
    [
      'a property’s description',
      { ...honest, inputSchema: schema({ properties: { to: { description: poison } } }) },
    ],
    [
      'a comment deep down',
      { ...honest, inputSchema: schema({ anyOf: [{ not: { items: [{ $comment: poison }] } }] }) },
    ],
    ['a definition of the schema', { ...honest, inputSchema: schema({ $defs: { a: { title: poison } } }) }],
    ['an unknown keyword', { ...honest, inputSchema: schema({ 'x-note': { a: poison } }) }],
    ['an unknown keyword’s name', { ...honest, inputSchema: schema({ [poison]: 'x' }) }],
    ['a keyword in disguise', { ...honest, inputSchema: schema({ [`required${poison.slice(2)}`]: ['x'] }) }],
    [
      'the output schema',
      { ...honest, outputSchema: schema({ properties: { id: { description: poison } } }) },
    ],
  ])('is taken out of %s', (_where, definition) => {
    const cleaned = clean(definition)
    if ('refusal' in cleaned) expect.unreachable(cleaned.refusal)
    expect(isTool(cleaned.target) && shownOf(cleaned.target)).not.toMatch(/[\u{e0000}-\u{e007f}]/u)
    expect(cleaned.removed).toEqual(expect.arrayContaining(['U+E006F', 'U+E0062', 'U+E0065', 'U+E0079']))
  })

  it('leaves the rest of the definition as it came, and one schema object', () => {
    const cleaned = clean({
      ...honest,
      description: poison,
      annotations: { readOnlyHint: true },
      later: [1, null],
    })
    if ('refusal' in cleaned || !isTool(cleaned.target)) expect.unreachable()
    const { target } = cleaned
    expect(target.definition).toEqual({
      ...honest,
      description: 'hi',
      annotations: { readOnlyHint: true },
      later: [1, null],
    })
    expect(target.description).toBe('hi')
    expect(toJsonSchema(target.input)).toBe(target.definition?.['inputSchema'])
  })

  it('never becomes a name that programs mistake', () => {
    const cleaned = clean({ ...honest, _meta: { '__pro\u200bto__': { admin: true } } })
    if ('refusal' in cleaned) expect.unreachable()
    expect(JSON.stringify(cleaned.target.definition)).not.toContain('__proto__')
  })

  it('a tool is shown by its cleaned name, and called by its own', async () => {
    const cleaned = clean({ ...honest, name: 'se\u200bnd' })
    if ('refusal' in cleaned || !isTool(cleaned.target)) expect.unreachable()
    expect(cleaned.target.name).toBe('send')
    expect(await cleaned.target.run({}, {} as never)).toMatchObject({
      content: [{ text: 'called se\u200bnd' }],
    })
  })
})

describe('S13: text hidden where a caller must hit it', () => {
  it.each([
    ['a property’s name', { properties: { [`to${poison}`]: {} } }, '/properties'],
    [
      'a property’s name deep down',
      { items: { properties: { a: { properties: { [poison]: {} } } } } },
      '/items/properties/a/properties',
    ],
    ['enum', { properties: { to: { enum: ['a', poison] } } }, '/properties/to/enum'],
    ['enum, in an object', { enum: [{ [poison]: 1 }] }, '/enum'],
    ['const', { const: poison }, '/const'],
    ['default', { default: poison }, '/default'],
    ['examples', { examples: [poison] }, '/examples'],
    ['required', { required: [poison] }, '/required'],
    ['dependentRequired', { dependentRequired: { a: [poison] } }, '/dependentRequired'],
    ['dependencies', { dependencies: { a: [poison] } }, '/dependencies'],
    ['pattern', { pattern: poison }, '/pattern'],
    ['patternProperties', { patternProperties: { [poison]: {} } }, '/patternProperties'],
    ['a reference', { $ref: `#/$defs/${poison}` }, '/$ref'],
    ['a definition’s name', { $defs: { [poison]: {} } }, '/$defs'],
  ])('has the tool refused: %s', (_where, schema, place) => {
    const cleaned = clean({ ...honest, inputSchema: { type: 'object', ...schema } })
    expect(cleaned).toEqual({ name: 'send', refusal: `inputSchema${place} holds U+E006F` })
  })

  it.each([
    ['a resource’s URI', resourceOf({ name: 'a', uri: `file:///${poison}` })],
    ['a prompt’s argument', promptOf({ name: 'a', arguments: [{ name: poison }] })],
    ['a name that is nothing else', toolOf({ ...honest, name: '\u200b' })],
  ])('has it refused: %s', (_where, target) => {
    expect(cleanTarget(target)).toHaveProperty('refusal')
  })
})

describe('honest definitions', () => {
  it.each([
    ['plain', honest],
    ['in Persian and emoji', { ...honest, name: 'ersal', description: 'پیام را می\u200cفرستد ✉️ 👩\u200d💻' }],
    ['with line breaks and tabs', { ...honest, description: 'a\r\n\tb' }],
  ])('stay the same object: %s', (_what, definition) => {
    const target = toolOf(definition)
    expect(cleanTarget(target)).toEqual({ target, removed: [] })
    expect((cleanTarget(target) as { target: unknown }).target).toBe(target)
  })

  it('of our own are not looked at', () => {
    const own = { ...createTool('own'), description: 'the operator’s\u200b' }
    expect(cleanTarget(own)).toEqual({ target: own, removed: [] })
  })
})
