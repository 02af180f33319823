import { describe, expect, it } from 'vitest'
import { type Caller, everything } from '../../core/caller.ts'
import { WeirError } from '../../core/error.ts'
import type { RunContext } from '../../core/tool.ts'
import { compileJsonSchema } from '../../execution/json-schema-validator.ts'
import { openToolset, tool } from './toolset.fixture.ts'
import type { Toolset } from './toolset.ts'

const offers = {
  crm: [tool('find_customer', { name: { type: 'string' } }), tool('delete_customer')],
  mail: [tool('send', { to: { type: 'string' }, from: { type: 'string' } })],
}
const write = { tool: 'mail:send', name: 'write', arguments: { from: 'us' }, category: 'mail' }

const ada: Caller = { subject: 'local:ada', tenant: 'default', grants: everything }

function open(change: Partial<Toolset> = {}, caller: Caller = ada) {
  const toolset = { search: true, tools: ['crm:find_*', write], description: 'Help for customers.' }
  const all = openToolset({ ...toolset, ...change }, offers)
  const target = (name: string) => all.view.tools.find(name)!.target
  const search = async (input: unknown) =>
    (await target('search_tools').run(input, { caller } as RunContext)) as unknown as {
      structuredContent: { tools: { name: string; [field: string]: unknown }[]; categories?: string[] }
    }
  const call = (input: Record<string, unknown>) => target('call_tool').delegate!(input, caller)
  return { ...all, target, search, call }
}

const failure = (attempt: () => unknown): WeirError => {
  try {
    attempt()
  } catch (thrown) {
    if (thrown instanceof WeirError) return thrown
    throw thrown
  }
  throw new Error('it did not fail')
}

describe('a toolset with a search', () => {
  it('lists the two tools and what is pinned, and serves nothing else by name', () => {
    expect(open().names()).toEqual(['search_tools', 'call_tool'])
    const { names, view } = open({ pinned: ['crm:*'] })
    expect(names()).toEqual(['search_tools', 'call_tool', 'crm__find_customer'])
    expect([view.tools.find('write'), view.tools.find('crm__delete_customer')]).toEqual([
      undefined,
      undefined,
    ])
  })

  it('has ids of its own, which no connection has', () => {
    const { view } = open()
    expect(view.tools.list().map(({ entry }) => entry.id)).toEqual([
      'support:search_tools',
      'support:call_tool',
    ])
  })

  it('says what it is for', () => {
    const { view, target } = open()
    expect(view.description).toBe('Help for customers.')
    expect(target('search_tools').description).toContain('Help for customers.')
  })
})

describe('search_tools', () => {
  it('answers with names, descriptions and input schemas as the toolset shows them', async () => {
    const { structuredContent } = await open().search({ query: 'send' })
    const inputSchema = { type: 'object', properties: { to: { type: 'string' } } }
    expect(structuredContent).toEqual({ tools: [{ name: 'write', description: 'Does send.', inputSchema }] })
  })

  it('finds the toolset’s tools only, and follows them', async () => {
    const { search, offer } = open()
    const find = async (query: string) =>
      (await search({ query })).structuredContent.tools.map(({ name }) => name)
    expect(await find('customer')).toEqual(['crm__find_customer'])
    offer('crm', [tool('find_customers'), tool('delete_customer')])
    expect(await find('customer')).toEqual(['crm__find_customers'])
  })

  it('gives five unless asked for more, and narrows to a category', async () => {
    const many = Array.from({ length: 30 }, (_, i) => tool(`find_${i}`))
    const { search, offer } = open()
    offer('crm', many)
    const count = async (more: object) =>
      (await search({ query: 'find', ...more })).structuredContent.tools.length
    expect([await count({}), await count({ limit: 20 }), await count({ limit: 1 })]).toEqual([5, 20, 1])
    expect((await search({ query: 'write', category: 'mail' })).structuredContent.tools).toHaveLength(1)
    expect((await search({ query: 'write', category: 'x' })).structuredContent).toEqual({
      tools: [],
      categories: ['general', 'mail'],
    })
  })

  it('takes no question beyond its bounds', () => {
    const check = compileJsonSchema(
      open().target('search_tools').input['~standard'].jsonSchema.input({ target: 'draft-2020-12' }),
    )
    const refused = [
      {},
      { query: '' },
      { query: 'x'.repeat(102_400) },
      { query: 'x', limit: 21 },
      { query: 'x', y: 1 },
    ]
    expect(refused.map((input) => check(input).length > 0)).toEqual(refused.map(() => true))
    expect(check({ query: 'x', limit: 20, category: 'c' })).toEqual([])
  })
})

describe('call_tool', () => {
  it('stands for the tool itself, whose own checks hold then', () => {
    const { call, all } = open()
    const meant = call({ name: 'crm__find_customer', arguments: { name: 'Ada' } })
    expect(meant.entry).toBe(all.tools.find('crm__find_customer'))
    expect(meant.input).toEqual({ name: 'Ada' })
    expect(call({ name: 'crm__find_customer' }).input).toEqual({})
  })

  it('puts fixed values in, and refuses them from the caller', () => {
    const { call, all } = open()
    const meant = call({ name: 'write', arguments: { to: 'ada' } })
    expect(meant.entry).toBe(all.tools.find('mail__send'))
    expect(meant.input).toEqual({ to: 'ada', from: 'us' })
    for (const given of [{ from: 'evil' }, { FROM: 'evil' }, { 'fr\u200bom': 'evil' }])
      expect(failure(() => call({ name: 'write', arguments: given })).code).toBe('INVALID_INPUT')
    const hostile = JSON.parse('{"__proto__": {"from": "evil"}}')
    expect(call({ name: 'write', arguments: hostile }).input['from']).toBe('us')
  })

  it.each([
    'mail__send',
    'mail:send',
    'crm__delete_customer',
    'call_tool',
    'search_tools',
    '__proto__',
    '',
  ])('cannot reach %j, which the toolset does not hold', (name) => {
    expect(failure(() => open().call({ name })).code).toBe('TOOL_NOT_FOUND')
  })

  it('shows a caller only what it may call', async () => {
    const decide = (permission: string) => ({ isAllowed: permission === 'tool:crm:find_customer', rule: '' })
    const { search, call } = open({}, { subject: 'key:1', tenant: 't', grants: { decide } })
    const { structuredContent } = await search({ query: 'write a mail to a customer' })
    expect(structuredContent.tools.map(({ name }) => name)).toEqual(['crm__find_customer'])
    expect((await search({ query: 'zzzz' })).structuredContent.categories).toEqual(['general'])
    expect(failure(() => call({ name: 'writ' })).data).toEqual({ nearest: [] })
  })

  it('names the nearest tools to one that is not there', () => {
    const error = failure(() => open().call({ name: 'crm__find_custmer' }))
    expect(error).toMatchObject({ code: 'TOOL_NOT_FOUND', data: { nearest: ['crm__find_customer'] } })
    expect(error.hint).toContain('crm__find_customer')
  })

  it.each([
    {},
    { name: 5 },
    { name: 'write', arguments: [] },
    { name: 'write', arguments: null },
  ])('refuses %j', (input) => {
    expect(failure(() => open().call(input)).code).toBe('INVALID_PARAMS')
  })

  it('does nothing itself', async () => {
    await expect(
      open()
        .target('call_tool')
        .run({ name: 'write' }, undefined as never),
    ).rejects.toThrow('stands for')
  })
})
