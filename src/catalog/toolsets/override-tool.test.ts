import { describe, expect, it } from 'vitest'
import type { Entry } from '../../core/catalog.ts'
import { WeirError } from '../../core/error.ts'
import type { JsonSchema } from '../../core/schema.ts'
import { toJsonSchema } from '../../core/schema.ts'
import type { Tool } from '../../core/tool.ts'
import { compileJsonSchema } from '../../execution/json-schema-validator.ts'
import { nameDefinition } from '../search/search.fixture.ts'
import { overrideTool, type ToolOverride } from './override-tool.ts'

const mail: JsonSchema = {
  type: 'object',
  properties: {
    to: { type: 'string' },
    from: { $ref: '#/$defs/address' },
    options: { type: 'object', properties: { from: { type: 'string' } }, required: ['from'] },
  },
  required: ['to', 'from'],
  $defs: { address: { type: 'string', pattern: '@' } },
}

const checkValue = (schema: JsonSchema, value: unknown) => compileJsonSchema(schema)(value)
const createMail = (inputSchema: JsonSchema = mail) =>
  nameDefinition('mail', { name: 'send', inputSchema }).entry

function override(change: Omit<ToolOverride, 'tool'>, entry: Entry<Tool> = createMail()) {
  return overrideTool(entry, { tool: entry.id, ...change }, checkValue)
}
const fixed = (inputSchema?: JsonSchema) =>
  override({ arguments: { from: 'us@acme' } }, createMail(inputSchema))
const run = async ({ target }: Entry<Tool>, input: unknown) =>
  (await target.run(input, undefined as never)) as { structuredContent: unknown }
const codeOf = (attempt: () => unknown) => {
  try {
    return attempt()
  } catch (thrown) {
    return thrown instanceof WeirError ? thrown.code : thrown
  }
}

describe('an overridden tool', () => {
  it('has the id, connection and tasks of its tool, and the description and category that were asked for', () => {
    const tasks = Object.freeze({ id: 'mail:send', connection: 'mail', target: {} as never })
    const entry = { ...createMail(), tasks }
    const changed = override({ description: 'Writes to a customer.', category: 'mail' }, entry)
    expect(changed).toMatchObject({ id: 'mail:send', connection: 'mail' })
    expect(changed.tasks).toBe(tasks)
    expect(changed.target).toMatchObject({
      description: 'Writes to a customer.',
      category: 'mail',
      effect: 'write',
    })
    expect(toJsonSchema(changed.target.input)).toEqual(mail)
  })

  it('shows the definition of an upstream server with these changes and no others', () => {
    const entry = createMail()
    const definition = { name: 'send', description: 'Old.', inputSchema: mail, icons: [{ src: 'x' }] }
    const upstream = { ...entry, target: { ...entry.target, definition } }
    expect(override({ description: 'New.', arguments: { from: 'a@b' } }, upstream).target.definition).toEqual(
      {
        ...definition,
        description: 'New.',
        inputSchema: toJsonSchema(fixed().target.input),
      },
    )
  })

  it('hides fixed arguments from properties and required, and leaves what is deeper alone', () => {
    const { properties, required, ...rest } = toJsonSchema(fixed().target.input)
    expect([Object.keys(properties as object), required]).toEqual([['to', 'options'], ['to']])
    expect((properties as Record<string, unknown>)['options']).toEqual(
      (mail['properties'] as never)['options'],
    )
    expect(rest).toEqual({ type: 'object', $defs: mail['$defs'] })
    const only = { type: 'object', properties: { from: {} }, required: ['from'] }
    expect(toJsonSchema(fixed(only).target.input)).toEqual({ type: 'object', properties: {} })
  })

  it('stands for the tool itself, with the fixed values in place, and runs the same without being asked', async () => {
    const entry = createMail()
    const changed = override({ arguments: { from: 'us@acme' } }, entry)
    const meant = changed.target.delegate!({ to: 'b@c' })
    expect(meant.entry).toBe(entry)
    expect(meant.input).toEqual({ to: 'b@c', from: 'us@acme' })
    expect(await run(changed, { to: 'b@c' })).toEqual({ structuredContent: meant.input })
  })
})

describe('a fixed argument', () => {
  const open: JsonSchema = { type: 'object', properties: { from: {} }, additionalProperties: true }

  it.each([
    'from',
    'From',
    'FROM',
    'ｆｒｏｍ',
    'fr\u200bom',
    ' from ',
  ])('cannot be given by a caller as %j, though the schema is open', async (name) => {
    const changed = fixed(open)
    expect(codeOf(() => changed.target.delegate!({ [name]: 'evil' }))).toBe('INVALID_INPUT')
    expect(codeOf(() => changed.target.delegate!({ [name]: undefined }))).toBe('INVALID_INPUT')
    await expect((async () => run(changed, { [name]: 'evil' }))()).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    })
  })

  it('is not told to the caller who tried, and neither is its value', () => {
    try {
      fixed(open).target.delegate!({ From: 'evil' })
      expect.unreachable()
    } catch (thrown) {
      expect(JSON.stringify({ ...(thrown as WeirError), m: String(thrown) })).not.toContain('acme')
    }
  })

  it('holds beside names that only look like it, and beside prototypes', () => {
    const { delegate } = fixed(open).target
    const cyrillic = 'fr\u043em'
    expect(delegate!({ [cyrillic]: 'evil' }).input).toEqual({ [cyrillic]: 'evil', from: 'us@acme' })
    const hostile = JSON.parse('{"__proto__": {"from": "evil"}, "constructor": 1}')
    const { input } = delegate!(hostile)
    expect([input['from'], Object.getPrototypeOf(input)]).toEqual(['us@acme', Object.prototype])
    const inherited = Object.create({ from: 'evil' })
    expect(delegate!(inherited).input).toEqual({ from: 'us@acme' })
  })

  it('leaves an argument of nearly the same name alone where the tool has both', () => {
    const both = { type: 'object', properties: { from: {}, From: {} } }
    expect(fixed(both).target.delegate!({ From: 1 }).input).toEqual({ From: 1, from: 'us@acme' })
  })

  it.each([
    [{ from: 5 }, '/from must be string'],
    [{ from: 'nobody' }, '/from must match pattern "@"'],
    [{ form: 'us@acme' }, 'it has no argument "form"'],
    [{ constructor: 1 }, 'it has no argument "constructor"'],
    [{ options: {} }, "/options must have required property 'from'"],
  ])('%j does not fit: the tool cannot be made', (values, message) => {
    expect(() => override({ arguments: values as Record<string, unknown> })).toThrow(message)
  })

  it('may be any where the schema names none, and is judged by itself where arguments depend on each other', () => {
    expect(codeOf(() => fixed({ type: 'object' }).id)).toBe('mail:send')
    const either = { ...mail, anyOf: [{ required: ['to'] }, { required: ['cc'] }], minProperties: 2 }
    expect(codeOf(() => fixed(either).id)).toBe('mail:send')
    const closed = { type: 'object', additionalProperties: false }
    expect(() => fixed(closed)).toThrow('must NOT have additional properties')
  })
})
