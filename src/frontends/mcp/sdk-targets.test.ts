import {
  Client as ClientV2,
  StreamableHTTPClientTransport as HttpV2,
  type VersionNegotiationOptions,
} from '@modelcontextprotocol/client'
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Gateway, startGateway } from './gateway.fixture.ts'
import { createLibrary, type Library, twoShelves } from './library.fixture.ts'

const child = {
  command: process.execPath,
  args: [new URL('./library-child.fixture.ts', import.meta.url).pathname],
}
const info = { name: 'sdk', version: '1' }

/** What both SDKs' clients do alike, and the one thing that each era does its own way. */
interface Connected {
  readonly client: ClientV1 | ClientV2
  /** Calls back with the URI of each change; gives the way to end it. */
  follow(uri: string): Promise<() => Promise<unknown>>
}
type Heard = (uri: string) => void
type Connect = (url: URL, heard: Heard) => Promise<Connected>

const connectV1 =
  (isStdio: boolean): Connect =>
  async (url, heard) => {
    const client = new ClientV1(info)
    const transport = isStdio ? new StdioV1(child) : new HttpV1(url)
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => heard(params.uri))
    // The SDK's own classes do not agree under exactOptionalPropertyTypes.
    await client.connect(transport as Parameters<ClientV1['connect']>[0])
    return { client, follow: followLegacy(client) }
  }

const connectV2 =
  (isStdio: boolean, versionNegotiation?: VersionNegotiationOptions): Connect =>
  async (url, heard) => {
    const client = new ClientV2(info, versionNegotiation === undefined ? {} : { versionNegotiation })
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => heard(params.uri))
    await client.connect(isStdio ? new StdioV2(child) : new HttpV2(url))
    if (versionNegotiation === undefined) return { client, follow: followLegacy(client) }
    const follow = async (uri: string) => {
      const subscription = await client.listen({ resourceSubscriptions: [uri, 'none:x'] })
      expect(subscription.honoredFilter).toEqual({ resourceSubscriptions: [uri] })
      return () => subscription.close()
    }
    return { client, follow }
  }

const followLegacy = (client: ClientV1 | ClientV2) => async (uri: string) => {
  await client.subscribeResource({ uri })
  return () => client.unsubscribeResource({ uri })
}

const auto = { mode: 'auto' } as const
const pinned = { mode: { pin: '2026-07-28' } }
const clients: readonly [string, Connect][] = [
  ['SDK v1 over HTTP', connectV1(false)],
  ['SDK v1 over stdio', connectV1(true)],
  ['SDK v2 over HTTP', connectV2(false)],
  ['SDK v2 over stdio', connectV2(true)],
  ['SDK v2 that asks, over HTTP', connectV2(false, auto)],
  ['SDK v2 that asks, over stdio', connectV2(true, auto)],
  ['SDK v2 pinned, over HTTP', connectV2(false, pinned)],
  ['SDK v2 pinned, over stdio', connectV2(true, pinned)],
]

let library: Library
let gateway: Gateway
beforeAll(async () => {
  library = createLibrary()
  gateway = await startGateway(twoShelves, [library.connector])
})
afterAll(() => gateway[Symbol.asyncDispose]())

describe.each(clients)('%s', (_name, connect) => {
  let connected: Connected
  let client: ClientV1 | ClientV2
  const heard: string[] = []
  beforeAll(async () => {
    connected = await connect(new URL('/mcp', gateway.url), (uri) => heard.push(uri))
    client = connected.client
  })
  afterAll(() => client.close())

  it('is told of everything that Weir can do', () => {
    const isModern = client instanceof ClientV2 && client.getProtocolEra() === 'modern'
    expect(client.getServerCapabilities()).toEqual({
      ...(isModern ? { extensions: { 'io.modelcontextprotocol/tasks': {} } } : {}),
      tools: { listChanged: true },
      resources: { subscribe: true, listChanged: true },
      prompts: { listChanged: true },
      completions: {},
      logging: {},
    })
  })

  it('lists resources, templates and prompts', async () => {
    const { resources } = await client.listResources()
    expect(resources.map(({ uri }) => uri)).toEqual(expect.arrayContaining(['note:a', 'weir:b:note:shared']))
    const { resourceTemplates } = await client.listResourceTemplates()
    expect(resourceTemplates).toMatchObject([
      { uriTemplate: 'book-a:{title}' },
      { uriTemplate: 'book-b:{title}' },
    ])
    const { prompts } = await client.listPrompts()
    expect(prompts.map(({ name }) => name)).toContain('b__greet')
  })

  it('reads text, a blob, a template’s URI, and what two connections have under one URI', async () => {
    const read = async (uri: string) => (await client.readResource({ uri })).contents[0]
    expect(await read('note:a')).toMatchObject({ uri: 'note:a', text: 'text of note:a' })
    expect(await read('image:b')).toMatchObject({ mimeType: 'image/png', blob: 'aGVsbG8=' })
    expect(await read('book-a:emma')).toMatchObject({ text: 'text of book-a:emma' })
    expect(await read('weir:b:note:shared')).toMatchObject({
      uri: 'weir:b:note:shared',
      text: 'text of note:shared',
    })
  })

  it('is refused what is not there, and told what failed, by codes that it knows', async () => {
    // The newer SDK shows both eras' codes for it as one.
    const notFound = client instanceof ClientV1 ? -32002 : -32602
    await expect(client.readResource({ uri: 'none:x' })).rejects.toMatchObject({ code: notFound })
    await expect(client.readResource({ uri: 'gone:a' })).rejects.toMatchObject({ code: notFound })
    await expect(client.readResource({ uri: 'invalid:a' })).rejects.toMatchObject({ code: -32602 })
    await expect(client.readResource({ uri: 'down:a' })).rejects.toMatchObject({ code: -32603 })
    await expect(client.getPrompt({ name: 'none' })).rejects.toMatchObject({ code: -32602 })
    await expect(client.getPrompt({ name: 'a__greet' })).rejects.toMatchObject({ code: -32602 })
  })

  it('gets prompts, and completes their arguments and a template’s', async () => {
    const { messages } = await client.getPrompt({ name: 'a__greet', arguments: { who: 'Ada' } })
    expect(messages).toMatchObject([{ role: 'user', content: { text: 'Hello Ada' } }])
    for (const ref of [
      { type: 'ref/prompt', name: 'b__greet' },
      { type: 'ref/resource', uri: 'book-a:{title}' },
    ] as const) {
      const { completion } = await client.complete({ ref, argument: { name: 'title', value: 'em' } })
      expect(completion).toMatchObject({ values: ['em0', 'em1'], total: 2, hasMore: false })
    }
    const ref = { type: 'ref/prompt', name: 'a__refuse' } as const
    expect((await client.complete({ ref, argument: { name: 'who', value: '' } })).completion.values).toEqual(
      [],
    )
  })

  it('follows a resource until it has heard enough', async () => {
    const end = await connected.follow('note:a')
    await client.readResource({ uri: 'poke:a' })
    await vi.waitFor(() => expect(heard).toEqual(['note:a']))
    await end()
    await client.readResource({ uri: 'poke:a' })
    await client.listPrompts()
    expect(heard).toEqual(['note:a'])
  })

  it('hears the progress of a read, and stops it by its signal', async () => {
    const leaving = new AbortController()
    const progress: number[] = []
    const onprogress = (step: { progress: number }) => {
      progress.push(step.progress)
      leaving.abort()
    }
    await expect(
      client.readResource({ uri: 'slow:a' }, { onprogress, signal: leaving.signal }),
    ).rejects.toBeDefined()
    expect(progress).toEqual([1])
    expect((await client.readResource({ uri: 'note:b' })).contents).toHaveLength(2)
  })
})
