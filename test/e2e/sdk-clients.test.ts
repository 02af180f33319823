import {
  Client as ClientV2,
  StreamableHTTPClientTransport as HttpV2,
  type VersionNegotiationOptions,
} from '@modelcontextprotocol/client'
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Gateway, startGateway } from '../../src/frontends/mcp/gateway.fixture.ts'

const child = {
  command: process.execPath,
  args: [new URL('../../src/frontends/mcp/stdio-child.fixture.ts', import.meta.url).pathname],
}
const info = { name: 'sdk', version: '1' }

/** What the tests do with a client, whichever SDK it is from. */
interface Connected {
  readonly version: string | undefined
  listTools(): Promise<readonly { name: string; description?: string | undefined; outputSchema?: unknown }[]>
  call(tool: string, input?: Record<string, unknown>, options?: CallOptions): Promise<CallAnswer>
  close(): Promise<void>
}
interface CallOptions {
  readonly signal?: AbortSignal
  readonly onprogress?: (progress: { progress: number; message?: string | undefined }) => void
}
interface CallAnswer {
  readonly isError?: boolean | undefined
  readonly structuredContent?: unknown
  readonly content?: unknown
  readonly [field: string]: unknown
}

type Connect = (url: URL, onListChanged: () => void) => Promise<Connected>

const connectV1 =
  (isStdio: boolean): Connect =>
  async (url, onChanged) => {
    const listChanged = { tools: { onChanged, debounceMs: 0 } }
    const client = new ClientV1(info, { listChanged })
    const http = new HttpV1(new URL('/mcp', url))
    // The SDK's own classes do not agree under exactOptionalPropertyTypes.
    await client.connect((isStdio ? new StdioV1(child) : http) as Parameters<ClientV1['connect']>[0])
    return {
      version: isStdio ? undefined : http.protocolVersion,
      listTools: async () => (await client.listTools()).tools,
      call: async (tool, input = {}, options = {}) =>
        (await client.callTool(
          { name: `probe__${tool}`, arguments: input },
          undefined,
          options,
        )) as CallAnswer,
      close: async () => {
        if (!isStdio) await http.terminateSession()
        await client.close()
      },
    }
  }

const connectV2 =
  (isStdio: boolean, versionNegotiation?: VersionNegotiationOptions): Connect =>
  async (url, onChanged) => {
    const listChanged = { tools: { onChanged, debounceMs: 0 } }
    const client = new ClientV2(info, {
      listChanged,
      ...(versionNegotiation === undefined ? {} : { versionNegotiation }),
    })
    await client.connect(isStdio ? new StdioV2(child) : new HttpV2(new URL('/mcp', url)))
    return {
      version: client.getNegotiatedProtocolVersion(),
      listTools: async () => (await client.listTools({}, { cacheMode: 'bypass' })).tools,
      call: async (tool, input = {}, options = {}) =>
        client.callTool({ name: `probe__${tool}`, arguments: input }, options),
      close: () => client.close(),
    }
  }

const pinned = { mode: { pin: '2026-07-28' } }
const clients: readonly [string, Connect, string | undefined][] = [
  ['SDK v1 over HTTP', connectV1(false), '2025-11-25'],
  ['SDK v1 over stdio', connectV1(true), undefined],
  ['SDK v2 over HTTP', connectV2(false), '2025-11-25'],
  ['SDK v2 over stdio', connectV2(true), '2025-11-25'],
  ['SDK v2 that asks, over HTTP', connectV2(false, { mode: 'auto' }), '2026-07-28'],
  ['SDK v2 that asks, over stdio', connectV2(true, { mode: 'auto' }), '2026-07-28'],
  ['SDK v2 pinned, over HTTP', connectV2(false, pinned), '2026-07-28'],
  ['SDK v2 pinned, over stdio', connectV2(true, pinned), '2026-07-28'],
]

let gateway: Gateway
beforeAll(async () => {
  gateway = await startGateway()
})
afterAll(() => gateway[Symbol.asyncDispose]())

describe.each(clients)('%s', (name, connect, version) => {
  let client: Connected
  let changed = () => {}
  beforeAll(async () => {
    client = await connect(gateway.url, () => changed())
  })
  afterAll(() => client.close())

  it('connects, agrees on the version, and lists the tools', async () => {
    expect(client.version).toBe(version)
    const tools = await client.listTools()
    expect(tools.find(({ name }) => name === 'probe__greet')).toMatchObject({
      description: 'The greet tool.',
      outputSchema: { type: 'object', required: ['greeting'] },
    })
  })

  it('calls tools: one that answers, one with an output schema, one that fails, wrong arguments, none', async () => {
    await client.listTools()
    expect(await client.call('echo', { a: [1, { b: 'é' }] })).toMatchObject({
      structuredContent: { echo: { a: [1, { b: 'é' }] } },
      content: [{ type: 'text' }],
    })
    expect(await client.call('greet')).toMatchObject({ structuredContent: { greeting: 'hello' } })
    expect(await client.call('fail')).toMatchObject({
      isError: true,
      structuredContent: { error: { code: 'SQL_ERROR', hint: 'Look at the tables.' } },
    })
    expect(await client.call('strict', { n: 'x' })).toMatchObject({
      isError: true,
      structuredContent: { error: { code: 'INVALID_INPUT' } },
    })
    await expect(client.call('none')).rejects.toMatchObject({ code: -32602 })
  })

  it('hears progress', async () => {
    const heard: unknown[] = []
    await client.call(
      'paced',
      {},
      {
        onprogress({ progress }) {
          heard.push(progress)
          void client.call('step')
        },
      },
    )
    expect(heard).toEqual([1, 2, 3])
  })

  it('R12: stops its call by its signal, and can go on', async () => {
    const leaving = new AbortController()
    const [started, aborted] = [gateway.probe.when('slow'), gateway.probe.when('slow:aborted')]
    // Over HTTP the tool runs here and is seen to stop; over stdio it runs in the child.
    const call = client.call('slow', {}, { signal: leaving.signal })
    const rejected = expect(call).rejects.toThrow()
    const isHere = name.includes('HTTP')
    if (isHere) await started
    else await client.call('echo')
    leaving.abort()
    await rejected
    if (isHere) await aborted
    expect((await client.call('echo')).isError ?? false).toBe(false)
  })

  it('hears that the tools changed', async () => {
    const heard = new Promise<void>((resolve) => {
      changed = resolve
    })
    const before = (await client.listTools()).length
    // A stream for changes may open a moment after the client says it is connected.
    const asking = setInterval(() => void client.call('change').catch(() => {}), 50)
    await heard
    clearInterval(asking)
    expect((await client.listTools()).length).toBeGreaterThan(before)
  })
})
