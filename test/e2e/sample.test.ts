import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

// The product as a newcomer has it: the real command, no configuration, the sample's real systems behind it.

const bin = new URL('../../bin/weir.js', import.meta.url).pathname
const info = { name: 'sample-test', version: '1' }
let folder: string
let weir: ChildProcess
let url: URL

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weir-sample-test-'))
  const args = [bin, 'start', '--port', '0', '--json']
  weir = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface(weir.stdout!), 'line')) as [string]
  url = new URL((JSON.parse(line) as { url: string }).url)
  // Every connection is up once nothing starts any more.
  await vi.waitFor(async () => expect((await fetch(new URL('/readyz', url))).status).toBe(200), {
    timeout: 20_000,
    interval: 50,
  })
})
afterAll(async () => {
  weir.kill()
  await once(weir, 'exit')
  rmSync(folder, { recursive: true, force: true })
})

interface Answer {
  readonly content?: readonly { readonly type: string; readonly text?: string }[]
  readonly structuredContent?: unknown
  readonly isError?: boolean
}
/** What both SDKs' clients do, as far as it is used here; their own types differ. */
interface Caller {
  listTools(): Promise<{ tools: { name: string; description?: string | undefined }[] }>
  callTool(params: { name: string; arguments: Record<string, unknown> }): Promise<unknown>
  close(): Promise<void>
}

const clients: Readonly<Record<string, () => Promise<Caller>>> = {
  'SDK v1': async () => {
    const client = new ClientV1(info)
    const transport = new HttpV1(new URL('/mcp', url))
    await client.connect(transport as Parameters<ClientV1['connect']>[0])
    return client
  },
  'SDK v2': async () => connectV2(undefined),
  'SDK v2, auto': async () => connectV2({ mode: 'auto' }),
  'SDK v2, pinned': async () => connectV2({ mode: { pin: '2026-07-28' } }),
}

async function connectV2(versionNegotiation: object | undefined): Promise<Caller> {
  const client = new ClientV2(info, versionNegotiation === undefined ? {} : { versionNegotiation })
  await client.connect(new HttpV2(new URL('/mcp', url)))
  return client
}

const count = { query: 'select count(*) as n from orders', database: 'analytics' }
const inventory = { api_name: 'shipping', method: 'GET', url: '/inventory' }

describe.each(Object.entries(clients))('D0-001: through one endpoint %s', (_name, connect) => {
  it('D0-002, D0-003, D0-004, D0-005, D0-010, D0-030: lists and calls tools of a database, an API and another MCP server', async () => {
    const client = await connect()
    const names = (await client.listTools()).tools.map(({ name }) => name)
    expect(names).toEqual(
      expect.arrayContaining(['database__execute_query', 'api__http_request', 'everything__echo']),
    )
    expect([...names].sort()).toEqual(names)
    const ask = async (name: string, input: object) =>
      (await client.callTool({ name, arguments: { ...input } })) as Answer
    const rows = await ask('database__execute_query', count)
    expect(rows.structuredContent).toMatchObject({ rows: [{ n: 1500 }], count: 1 })
    // D0-020: every tool answers text content, whatever else it answers.
    expect(rows.content?.[0]).toMatchObject({ type: 'text', text: JSON.stringify(rows.structuredContent) })
    const api = await ask('api__http_request', inventory)
    expect(api.structuredContent).toMatchObject({ status_code: 200, success: true })
    const echo = await ask('everything__echo', { message: 'hello' })
    expect(echo.content).toEqual([{ type: 'text', text: 'Echo: hello' }])
    await client.close()
  })

  it('D0-019: is told of an unknown tool by an error, and of a failed one by a result', async () => {
    const client = await connect()
    await expect(client.callTool({ name: 'database__drop', arguments: {} })).rejects.toThrow(
      /database__drop.*not found/,
    )
    const wrong = { ...count, database: 'nowhere' }
    const failed = (await client.callTool({ name: 'database__execute_query', arguments: wrong })) as Answer
    expect(failed).toMatchObject({ isError: true })
    expect(failed.content?.[0]?.text).toContain('UNKNOWN_DATABASE')
    await client.close()
  })
})

describe('the same tools without MCP', () => {
  const post = async (body: object) => {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(new URL('/mcp/execute', url), {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    })
    return (await response.json()) as { data: { results: { response: Record<string, unknown> }[] } }
  }

  it('D4-001 to D4-004, B-120: are discovered and executed from the same catalog', async () => {
    const response = await fetch(new URL('/mcp/discover', url))
    const { tools } = (await response.json()) as { tools: { name: string; description: string }[] }
    const client = await clients['SDK v2, pinned']!()
    const listed = (await client.listTools()).tools
    // Long names are shortened for models, so the two lists are compared by what their tools say of themselves.
    const describe = (all: readonly { description?: string | undefined }[]) =>
      all.map((tool) => tool.description).sort()
    expect(describe(tools)).toEqual(describe(listed))
    expect(tools.map(({ name }) => name)).toContain('everything:trigger-long-running-operation')
    await client.close()
  })

  it('C-01, C-04: answer with the same result, in the dialect’s own shape', async () => {
    const client = await clients['SDK v2, pinned']!()
    const mcp = (await client.callTool({
      name: 'database__get_schema',
      arguments: { database: 'analytics' },
    })) as Answer
    const rest = await post({
      tools: [{ tool_slug: 'database:get_schema', arguments: { database: 'analytics' } }],
    })
    expect(rest.data.results[0]?.response).toEqual(mcp.structuredContent)
    await client.close()
  })
})

it('B-10: stopping is orderly, and nothing of the sample is left', async () => {
  const own = mkdtempSync(join(tmpdir(), 'weir-sample-test-'))
  const child = spawn(process.execPath, [bin, 'start', '--port', '0', '--json'], {
    cwd: own,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await once(child.stdout!, 'data')
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
  rmSync(own, { recursive: true })
})
