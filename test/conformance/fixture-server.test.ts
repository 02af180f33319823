import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as OldStdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Child, startServer } from './runner/child.ts'

const entry = fileURLToPath(new URL('fixture-server.ts', import.meta.url))
const stdioServer = { command: process.execPath, args: [entry, '--stdio'] }

let http: Child & { url: string }
beforeAll(async () => {
  http = await startServer([entry, '--port', '0'], process.cwd(), 15_000)
})
afterAll(() => http.stop())

const transports: Record<string, () => Transport> = {
  HTTP: () => new StreamableHTTPClientTransport(new URL(http.url)),
  stdio: () => new StdioClientTransport(stdioServer),
}
const eras = {
  'an SDK v2 client pinned to 2026-07-28': { mode: { pin: '2026-07-28' } },
  'an SDK v2 client that negotiates': { mode: 'auto' },
  'an SDK v2 client of the older revisions': { mode: 'legacy' },
} as const

const ways = Object.entries(transports).flatMap(([name, open]) =>
  Object.entries(eras).map(([era, versionNegotiation]) => ({
    way: `${era} over ${name}`,
    open,
    versionNegotiation,
  })),
)

describe.each(ways)('the fixture and $way', ({ open, versionNegotiation }) => {
  let client: Client | undefined
  afterEach(() => client?.close())

  /** A client that can answer every question, and reports what it is told. */
  async function connect(onToolsChanged: () => void = () => {}): Promise<Client> {
    client = new Client(
      { name: 'fixture-test', version: '1.0.0' },
      {
        capabilities: { elicitation: {}, sampling: {}, roots: {} },
        versionNegotiation,
        listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: onToolsChanged } },
      },
    )
    client.setRequestHandler('elicitation/create', () => ({
      action: 'accept',
      content: { name: 'Ada', color: 'blue', ok: true, username: 'ada', email: 'ada@example.org' },
    }))
    client.setRequestHandler('sampling/createMessage', () => ({
      role: 'assistant',
      content: { type: 'text', text: 'Paris' },
      model: 'none',
    }))
    client.setRequestHandler('roots/list', () => ({ roots: [{ uri: 'file:///here', name: 'Here' }] }))
    await client.connect(open())
    return client
  }

  it('lists and calls tools', async () => {
    const { tools } = await (await connect()).listTools()
    expect(tools[0]?.name).toBe('test_simple_text')
    expect(new Set(tools.map((tool) => tool.name)).size).toBe(tools.length)
    const sum = await client?.callTool({ name: 'test_structured_content', arguments: { a: 2, b: 3 } })
    expect(sum?.structuredContent).toEqual({ sum: 5 })
  })

  it('sends progress and log messages before the result', async () => {
    const seen: unknown[] = []
    const connected = await connect()
    connected.setNotificationHandler('notifications/message', ({ params }) => void seen.push(params.data))
    // Not by `onprogress`: the SDK forgets that as soon as the answer is there, which may be in the same piece.
    const progress: unknown[] = []
    connected.setNotificationHandler('notifications/progress', ({ params }) => void progress.push(params))
    await connected.callTool({
      name: 'test_tool_with_progress',
      arguments: {},
      _meta: { progressToken: 'p' },
    })
    await expect.poll(() => progress).toHaveLength(3)
    expect(progress).toEqual([0, 50, 100].map((step) => ({ progressToken: 'p', progress: step, total: 100 })))
    await connected.callTool({
      name: 'test_tool_with_logging',
      arguments: {},
      _meta: { 'io.modelcontextprotocol/logLevel': 'info' },
    })
    expect(seen).toEqual(['Tool execution started', 'Tool processing data', 'Tool execution completed'])
  })

  it('asks the user, the model and the client', async () => {
    const connected = await connect()
    const call = async (name: string, args = {}) => {
      const { content } = await connected.callTool({ name, arguments: args })
      return content.map((block) => (block.type === 'text' ? block.text : block.type)).join()
    }
    expect(await call('test_elicitation', { message: 'Who are you?' })).toContain('action=accept')
    expect(await call('test_sampling', { prompt: 'Capital of France?' })).toContain('Paris')
    expect(await call('test_input_required_result_multi_round')).toBe('Ada likes blue')
    expect(await call('test_input_required_result_multiple_inputs')).toContain('Ada, 1 roots')
    const prompt = await connected.getPrompt({
      name: 'test_prompt_with_arguments',
      arguments: { arg1: 'x', arg2: 'y' },
    })
    expect(prompt.messages[0]?.content).toMatchObject({ text: "Prompt with arguments: arg1='x', arg2='y'" })
  })

  it('tells of a changed list and of a changed resource', async () => {
    const told = Promise.withResolvers<void>()
    const updated = Promise.withResolvers<string>()
    const connected = await connect(told.resolve)
    const uri = 'test://watched-resource'
    connected.setNotificationHandler('notifications/resources/updated', ({ params }) =>
      updated.resolve(params.uri),
    )
    const isModern = connected.getNegotiatedProtocolVersion() === '2026-07-28'
    if (isModern) await connected.listen({ resourceSubscriptions: [uri] })
    else await connected.subscribeResource({ uri })
    const before = await connected.listTools()
    await connected.callTool({ name: 'test_trigger_tool_change', arguments: {} })
    await told.promise
    const after = await connected.listTools()
    expect(Math.abs(after.tools.length - before.tools.length)).toBe(1)
    await connected.callTool({ name: 'test_trigger_resource_update', arguments: { uri } })
    expect(await updated.promise).toBe(uri)
  })
})

describe('the fixture and an SDK v1 client over stdio', () => {
  it('speaks 2025-11-25', async () => {
    const client = new OldClient({ name: 'fixture-test', version: '1.0.0' })
    await client.connect(new OldStdioClientTransport(stdioServer))
    const { content } = await client.callTool({ name: 'test_simple_text' })
    expect(content).toEqual([{ type: 'text', text: 'This is a simple text response for testing.' }])
    await client.close()
  })
})
