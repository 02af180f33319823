import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { embedWeir, type Weir } from '../../src/app.ts'
import { createDesk } from '../../src/frontends/rest/desk.fixture.ts'

const info = { name: 'sdk', version: '1' }
const mail = { to: ['ada@home.example'], subject: 'Hello', body: 'You are welcome.' }
const copies = ['audit@acme.example']
const desk = createDesk()
const write = {
  tool: 'desk:send_email',
  name: 'mail_customer',
  description: 'Writes to a customer.',
  arguments: { cc: copies },
}
let weir: Weir
let url: string

beforeAll(async () => {
  weir = embedWeir({
    connectors: [desk.connector],
    config: {
      connections: { desk: { type: 'desk' } },
      toolsets: {
        support: { description: 'Help for customers.', tools: ['desk:say', write], exclude: ['*:hold'] },
        lazy: { tools: ['*', write], exclude: ['desk:ask'], search: true, pinned: ['desk:say'] },
      },
      policies: { 'desk:hold': { timeout: '50ms' } },
      server: { port: 0, toolset: 'support' },
      log: { level: 'silent' },
    },
  })
  url = (await weir.listen()).url
})
afterAll(() => weir.close(0))

interface Answer {
  readonly isError?: boolean
  readonly structuredContent?: Record<string, unknown>
  readonly content?: { readonly text?: string }[]
  readonly _meta?: Record<string, Record<string, unknown>>
}
interface Connected {
  readonly instructions: string | undefined
  list(): Promise<readonly { name: string; description?: string | undefined; inputSchema: unknown }[]>
  call(name: string, input?: Record<string, unknown>): Promise<Answer>
}

const connectV1 = async (path: string): Promise<Connected> => {
  const client = new ClientV1(info)
  await client.connect(new HttpV1(new URL(path, url)) as Parameters<ClientV1['connect']>[0])
  return {
    instructions: client.getInstructions(),
    list: async () => (await client.listTools()).tools,
    call: async (name, input = {}) => (await client.callTool({ name, arguments: input })) as Answer,
  }
}
const connectV2 = async (path: string): Promise<Connected> => {
  const client = new ClientV2(info, { versionNegotiation: { mode: 'auto' } })
  await client.connect(new HttpV2(new URL(path, url)))
  return {
    instructions: client.getInstructions(),
    list: async () => (await client.listTools()).tools,
    call: async (name, input = {}) => (await client.callTool({ name, arguments: input })) as Answer,
  }
}
const codeOf = (answer: Answer) => answer._meta?.['weir/error']?.['code']

describe.each([
  ['SDK v1', connectV1],
  ['SDK v2', connectV2],
])('a toolset, by %s', (_, connect) => {
  it('is a list of its own, with names, descriptions and arguments as they were changed', async () => {
    const client = await connect('/mcp/support')
    const tools = await client.list()
    expect(tools.map(({ name }) => name)).toEqual(['desk__say', 'mail_customer'])
    expect(tools[1]).toMatchObject({
      description: 'Writes to a customer.',
      inputSchema: { required: ['to', 'subject', 'body'] },
    })
    expect(JSON.stringify(tools)).not.toMatch(/"cc"|acme/)
    expect(client.instructions).toMatch(/^Help for customers\./)
  })

  it('fills fixed values in, and refuses them from the caller', async () => {
    const client = await connect('/mcp/support')
    const before = desk.sent.length
    expect((await client.call('mail_customer', mail)).isError).toBeFalsy()
    expect(desk.sent.slice(before)).toEqual([{ ...mail, cc: copies }])
    const refused = await client.call('mail_customer', { ...mail, cc: ['evil@home.example'] })
    expect([refused.isError, codeOf(refused)]).toEqual([true, 'INVALID_INPUT'])
    expect(desk.sent).toHaveLength(before + 1)
  })

  it('holds no other tool', async () => {
    const client = await connect('/mcp/support')
    for (const name of ['desk__send_email', 'send_email', 'desk__hold'])
      await expect(client.call(name, mail)).rejects.toThrow(/not found/)
  })

  it('can be what /mcp serves', async () => {
    const names = (await (await connect('/mcp')).list()).map(({ name }) => name)
    expect(names).toEqual(['desk__say', 'mail_customer'])
    expect((await (await connect('/mcp/desk')).list()).length).toBe(8)
  })

  it('with a search lists two tools and what is pinned; a model finds and calls the rest', async () => {
    const client = await connect('/mcp/lazy')
    const names = (await client.list()).map(({ name }) => name)
    expect(names).toEqual(['search_tools', 'call_tool', 'desk__say'])
    const found = await client.call('search_tools', { query: 'write to somebody' })
    expect((found.structuredContent?.['tools'] as { name: string }[])[0]?.name).toBe('mail_customer')
    const before = desk.sent.length
    const sent = await client.call('call_tool', { name: 'mail_customer', arguments: mail })
    expect(sent.structuredContent).toMatchObject({ status: 'sent' })
    expect(desk.sent.slice(before)).toEqual([{ ...mail, cc: copies }])
  })

  it('holds the tool’s own checks and policies through call_tool', async () => {
    const client = await connect('/mcp/lazy')
    const attempt = async (name: string, input: unknown = {}) =>
      codeOf(await client.call('call_tool', { name, arguments: input }))
    const before = desk.sent.length
    expect(await attempt('mail_customer', { ...mail, subject: 5 })).toBe('INVALID_INPUT')
    expect(await attempt('mail_customer', { ...mail, cc: ['evil@home.example'] })).toBe('INVALID_INPUT')
    expect(await attempt('mail_customer', { ...mail, Cc: ['evil@home.example'] })).toBe('INVALID_INPUT')
    expect(await attempt('desk__hold')).toBe('DEADLINE_EXCEEDED')
    expect(desk.sent).toHaveLength(before)
    await expect(attempt('mail_custmer', mail)).rejects.toThrow(/not found/)
    await expect(attempt('desk__ask')).rejects.toThrow(/not found/)
    await expect(attempt('call_tool', { name: 'desk__say' })).rejects.toThrow(/not found/)
  })

  it('takes no question of 100 KB', async () => {
    const client = await connect('/mcp/lazy')
    expect(codeOf(await client.call('search_tools', { query: 'x'.repeat(102_400) }))).toBe('INVALID_INPUT')
  })
})
