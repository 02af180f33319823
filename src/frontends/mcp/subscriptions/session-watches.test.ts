import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Gateway, type OpenReply, startGateway } from '../gateway.fixture.ts'
import { createLibrary, type Library, twoShelves } from '../library.fixture.ts'

let library: Library
let gateway: Gateway
beforeAll(async () => {
  library = createLibrary()
  gateway = await startGateway(twoShelves, [library.connector])
})
afterAll(() => gateway[Symbol.asyncDispose]())

/** One old-era client. */
async function connect() {
  const id = await gateway.initialize()
  const headers = { 'mcp-session-id': id }
  return {
    id,
    ask: async (method: string, uri?: unknown) =>
      (await gateway.legacy(method, uri === undefined ? {} : { uri }, { headers })).messages[0] ?? {},
    listen: (): Promise<OpenReply> => gateway.open({ method: 'GET', headers }),
    end: () => gateway.send({ method: 'DELETE', headers }),
  }
}
const updated = (uri: string) => ({
  jsonrpc: '2.0',
  method: 'notifications/resources/updated',
  params: { uri },
})
const nothingWatched = () => vi.waitFor(() => expect(library.watching()).toBe(0))

describe('a session that subscribes to a resource', () => {
  it('hears of each change on its stream, under the URI that it subscribed to, until it unsubscribes', async () => {
    const client = await connect()
    const stream = await client.listen()
    expect((await client.ask('resources/subscribe', 'weir:a:note:shared')).result).toEqual({})
    expect((await client.ask('resources/subscribe', 'weir:a:note:shared')).result).toEqual({})
    await client.ask('resources/subscribe', 'note:a')
    expect(library.watching()).toBe(2)
    library.change('b', 'note:shared')
    library.change('a', 'note:shared')
    expect(await stream.next()).toEqual(updated('weir:a:note:shared'))
    expect((await client.ask('resources/unsubscribe', 'weir:a:note:shared')).result).toEqual({})
    expect((await client.ask('resources/unsubscribe', 'never:x')).result).toEqual({})
    library.change('a', 'note:shared')
    library.change('a', 'note:a')
    expect(await stream.next()).toEqual(updated('note:a'))
    await client.end()
    expect(await stream.rest()).toEqual([])
    await nothingWatched()
  })

  it('hears of what it missed when it opens a stream, and on the newest stream alone', async () => {
    const client = await connect()
    await client.ask('resources/subscribe', 'note:a')
    for (let time = 0; time < 100; time += 1) library.change('a', 'note:a')
    await client.ask('ping')
    const first = await client.listen()
    expect(await first.next()).toEqual(updated('note:a'))
    const second = await client.listen()
    library.change('a', 'note:a')
    expect(await second.next()).toEqual(updated('note:a'))
    second.leave()
    let heard: unknown
    void first.next().then((message) => {
      heard = message
    })
    // The gateway learns of it in its own time.
    await vi.waitFor(() => {
      library.change('a', 'note:a')
      expect(heard).toEqual(updated('note:a'))
    })
    await client.end()
    await nothingWatched()
  })

  it('hears of every list that changes', async () => {
    const client = await connect()
    const stream = await client.listen()
    for (let time = 0; time < 100; time += 1) library.add(`legacy${time}`)
    const methods = [(await stream.next()).method, (await stream.next()).method]
    expect(methods.sort()).toEqual([
      'notifications/prompts/list_changed',
      'notifications/resources/list_changed',
    ])
    gateway.probe.addTool('for_legacy')
    expect((await stream.next()).method).toBe('notifications/tools/list_changed')
    await client.end()
  })

  it('S5: loses nothing to another session, and tells it nothing', async () => {
    const [ada, eve] = [await connect(), await connect()]
    const [adas, eves] = [await ada.listen(), await eve.listen()]
    await ada.ask('resources/subscribe', 'note:a')
    await eve.ask('resources/unsubscribe', 'note:a')
    await eve.end()
    expect(await eves.rest()).toEqual([])
    library.change('a', 'note:a')
    expect(await adas.next()).toEqual(updated('note:a'))
    await ada.end()
    await nothingWatched()
  })

  it('follows nothing any more once it has ended, stream or none', async () => {
    const client = await connect()
    await client.ask('resources/subscribe', 'note:a')
    await client.ask('resources/subscribe', 'note:b')
    expect(library.watching()).toBe(2)
    await client.end()
    expect(library.watching()).toBe(0)
    expect((await client.ask('resources/subscribe', 'note:a')).error).toMatchObject({
      data: { weirCode: 'SESSION_NOT_FOUND' },
    })
  })

  it.each<[string, unknown, number, string]>([
    ['of an unknown URI', 'none:x', -32002, 'RESOURCE_NOT_FOUND'],
    ['of what tells of no changes', 'mute:a', -32602, 'INVALID_PARAMS'],
    ['of no text', 7, -32602, 'INVALID_PARAMS'],
  ])('%s is refused', async (_what, uri, code, weirCode) => {
    const client = await connect()
    expect((await client.ask('resources/subscribe', uri)).error).toMatchObject({ code, data: { weirCode } })
    expect(library.watching()).toBe(0)
  })

  it('must be one: without a session there is nobody to tell', async () => {
    for (const method of ['resources/subscribe', 'resources/unsubscribe']) {
      const { messages } = await gateway.legacy(method, { uri: 'note:a' })
      expect(messages[0]?.error).toMatchObject({ code: -32600 })
    }
  })

  it('is of the old era: the new one says it in subscriptions/listen', async () => {
    const reply = await gateway.modern('resources/subscribe', { uri: 'note:a' })
    expect([reply.status, reply.messages[0]?.error?.code]).toEqual([404, -32601])
  })
})

it('notifications that ask for nothing are taken', async () => {
  const headers = { 'mcp-session-id': await gateway.initialize() }
  for (const method of [
    'notifications/roots/list_changed',
    'notifications/initialized',
    'notifications/invented',
  ]) {
    const reply = await gateway.send({ headers, body: { jsonrpc: '2.0', method } })
    expect([reply.status, reply.text]).toEqual([202, ''])
  }
})
