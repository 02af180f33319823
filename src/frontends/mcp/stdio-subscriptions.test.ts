import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type Gateway, legacyRequest, modernRequest, startGateway } from './gateway.fixture.ts'
import { createLibrary, type Library, twoShelves } from './library.fixture.ts'
import { PipeClient, serveOverPipes } from './stdio-client.fixture.ts'

let library: Library
let gateway: Gateway
beforeEach(async () => {
  library = createLibrary()
  gateway = await startGateway(twoShelves, [library.connector])
})
afterEach(() => gateway[Symbol.asyncDispose]())

const subscribe = (uri: string) => legacyRequest('resources/subscribe', { uri })
const updated = (uri: string) => ({
  jsonrpc: '2.0',
  method: 'notifications/resources/updated',
  params: { uri },
})

it('a legacy client subscribes, hears, unsubscribes, and leaves nothing behind', async () => {
  const { client, input, served } = serveOverPipes(gateway)
  expect((await client.ask(subscribe('note:a'))).error).toMatchObject({ code: -32600 })
  await client.ask(legacyRequest('initialize', { protocolVersion: '2025-11-25' }))
  expect((await client.ask(subscribe('note:a'))).result).toEqual({})
  expect((await client.ask(subscribe('weir:b:note:shared'))).result).toEqual({})
  for (let time = 0; time < 100; time += 1) library.change('b', 'note:shared')
  expect(await client.next()).toEqual(updated('weir:b:note:shared'))
  expect((await client.ask(subscribe('none:x'))).error).toMatchObject({ code: -32002 })
  await client.ask(legacyRequest('resources/unsubscribe', { uri: 'weir:b:note:shared' }))
  library.change('b', 'note:shared')
  library.change('a', 'note:a')
  expect(await client.next()).toEqual(updated('note:a'))
  library.add('more')
  const methods = [(await client.next()).method, (await client.next()).method]
  expect(methods.sort()).toEqual([
    'notifications/prompts/list_changed',
    'notifications/resources/list_changed',
  ])
  input.end()
  await served
  expect(library.watching()).toBe(0)
})

it('a client that begins anew has subscribed to nothing', async () => {
  const { client, input } = serveOverPipes(gateway)
  await client.ask(legacyRequest('initialize', { protocolVersion: '2025-11-25' }))
  await client.ask(subscribe('note:a'))
  await client.ask(legacyRequest('initialize', { protocolVersion: '2025-11-25' }))
  expect(library.watching()).toBe(0)
  await client.ask(subscribe('note:b'))
  library.change('a', 'note:a')
  library.change('b', 'note:b')
  expect(await client.next()).toEqual(updated('note:b'))
  library.add('more')
  const methods = [(await client.next()).method, (await client.next()).method]
  expect(new Set(methods).size).toBe(2)
  expect((await client.ask(legacyRequest('ping'))).result).toEqual({})
  input.end()
})

it('a modern client tells its subscriptions apart by their ids, and ends one by its', async () => {
  const { client, input, served } = serveOverPipes(gateway)
  const listen = (notifications: object) => modernRequest('subscriptions/listen', { notifications })
  const id = ({ body }: { body?: unknown }) => (body as { id: number }).id
  const [notes, lists] = [
    listen({ resourceSubscriptions: ['note:a'] }),
    listen({ resourcesListChanged: true }),
  ]
  const key = 'io.modelcontextprotocol/subscriptionId'
  expect((await client.ask(notes)).params).toEqual({
    _meta: { [key]: id(notes) },
    notifications: { resourceSubscriptions: ['note:a'] },
  })
  await client.ask(lists)
  library.change('a', 'note:a')
  expect((await client.next()).params).toEqual({ _meta: { [key]: id(notes) }, uri: 'note:a' })
  client.write({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id(notes) } })
  await vi.waitFor(() => expect(library.watching()).toBe(0))
  library.change('a', 'note:a')
  library.add('more')
  expect(await client.next()).toMatchObject({
    method: 'notifications/resources/list_changed',
    params: { _meta: { [key]: id(lists) } },
  })
  input.end()
  await served
})

it('a read that is cancelled is answered no more', async () => {
  const { client, input } = serveOverPipes(gateway)
  const started = library.when('read slow:a')
  const slow = modernRequest('resources/read', { uri: 'slow:a' })
  client.write(slow.body)
  await started
  const stopped = library.when('stopped slow:a')
  const { id } = slow.body as { id: number }
  client.write({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } })
  await stopped
  const read = await client.ask(modernRequest('resources/read', { uri: 'gone:a' }))
  expect(read.error).toMatchObject({ code: -32602, data: { uri: 'gone:a' } })
  input.end()
})

it('R21: news for a client that does not read is dropped beyond 16 MiB, and it hears again once it reads', async () => {
  const [input, output] = [new PassThrough(), new PassThrough()]
  const served = gateway.weir.serveStdio(input, output)
  const say = ({ body }: { body?: unknown }) => input.write(`${JSON.stringify(body)}\n`)
  const listening = 400
  for (let at = 0; at < listening; at += 1) {
    const { body } = modernRequest('subscriptions/listen', {
      notifications: { resourceSubscriptions: ['note:a'] },
    })
    say({ body: { ...(body as object), id: `${at}`.padStart(1_000, '-') } })
  }
  await vi.waitFor(() => expect(library.watching()).toBe(listening))
  for (let time = 0; time < 80; time += 1) {
    library.change('a', 'note:a')
    await new Promise(setImmediate)
  }
  expect(output.writableLength).toBeGreaterThan(16 * 1024 * 1024)
  expect(output.writableLength).toBeLessThan(17 * 1024 * 1024)
  const client = new PipeClient(input, output)
  await vi.waitFor(() => expect(output.writableLength).toBe(0))
  await new Promise(setImmediate)
  const before = client.unread.length
  library.change('a', 'note:a')
  await vi.waitFor(() => expect(client.unread).toHaveLength(before + listening))
  input.end()
  await served
})
