import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Gateway, modernRequest, type OpenReply, startGateway } from '../gateway.fixture.ts'
import { createLibrary, type Library, twoShelves } from '../library.fixture.ts'

const subscriptionId = 'io.modelcontextprotocol/subscriptionId'
const listen = (notifications: unknown) => modernRequest('subscriptions/listen', { notifications })
const idOf = (request: { body?: unknown }) => (request.body as { id: number }).id

describe('subscriptions/listen over HTTP', () => {
  let gateway: Gateway
  beforeAll(async () => {
    gateway = await startGateway()
  })
  afterAll(() => gateway[Symbol.asyncDispose]())

  it('acknowledges first, says what it grants, and marks each change with the request’s id', async () => {
    const request = listen({ toolsListChanged: true, promptsListChanged: true })
    const stream = await gateway.open(request)
    const _meta = { [subscriptionId]: idOf(request) }
    expect(await stream.next()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: { _meta, notifications: { toolsListChanged: true, promptsListChanged: true } },
    })
    gateway.probe.addTool('added_for_listen')
    expect(await stream.next()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/tools/list_changed',
      params: { _meta },
    })
    expect((await gateway.modern('tools/list')).text).toContain('probe__added_for_listen')
    stream.leave()
  })

  it('says nothing that was not asked for', async () => {
    const [unasked, asked] = [
      await gateway.open(listen({})),
      await gateway.open(listen({ toolsListChanged: true })),
    ]
    expect((await unasked.next()).params?.['notifications']).toEqual({})
    await asked.next()
    gateway.probe.addTool('added_unasked')
    await asked.next()
    asked.leave()
    unasked.leave()
    expect(await unasked.rest()).toEqual([])
  })

  it('refuses a filter that is none, and a client that takes no stream', async () => {
    const refused = await gateway.send(listen(undefined))
    expect([refused.status, refused.messages[0]?.error?.code]).toEqual([400, -32602])
    const { body, headers } = listen({ toolsListChanged: true })
    const plain = await gateway.send({ body, headers: { ...headers, accept: 'application/json' } })
    expect(plain.status).toBe(406)
  })

  it('keeps nothing of the body that it was asked with', async () => {
    const padding = 'x'.repeat(3 * 2 ** 20)
    const heldBytes = () => {
      setFlagsFromString('--expose-gc')
      ;(runInNewContext('gc') as () => void)()
      // Texts of this size live outside of the heap.
      return process.memoryUsage().external
    }
    const before = heldBytes()
    const streams: OpenReply[] = []
    for (let at = 0; at < 20; at += 1) {
      const stream = await gateway.open(
        modernRequest('subscriptions/listen', { notifications: { toolsListChanged: true }, padding }),
      )
      await stream.next()
      streams.push(stream)
    }
    // What was collected is given back by a thread of the engine's own.
    await vi.waitFor(() => expect(heldBytes() - before).toBeLessThan(10 * padding.length))
    for (const stream of streams) stream.leave()
  })

  it('ends with its answer when Weir stops, which no open stream delays', async () => {
    const stopping = await startGateway()
    const request = listen({ toolsListChanged: true })
    const stream = await stopping.open(request)
    await stream.next()
    const legacy = await stopping.open({
      method: 'GET',
      headers: { 'mcp-session-id': await stopping.initialize() },
    })
    const stoppedAt = performance.now()
    await stopping.weir.close()
    expect(performance.now() - stoppedAt).toBeLessThan(1_000)
    expect(await stream.rest()).toEqual([
      {
        jsonrpc: '2.0',
        id: idOf(request),
        result: { resultType: 'complete', _meta: { [subscriptionId]: idOf(request) } },
      },
    ])
    expect(await legacy.rest()).toEqual([])
  })
})

describe('resources that a client listens to', () => {
  let library: Library
  let gateway: Gateway
  beforeAll(async () => {
    library = createLibrary()
    gateway = await startGateway(twoShelves, [library.connector])
  })
  afterAll(() => gateway[Symbol.asyncDispose]())

  it('are those of the asked for that tell of their changes, each under the URI that it was asked for by', async () => {
    const resourceSubscriptions = [
      'note:a',
      'weir:b:note:shared',
      'none:x',
      'mute:a',
      'note:a',
      'x'.repeat(2_049),
    ]
    const request = listen({ resourceSubscriptions })
    const stream = await gateway.open(request)
    const _meta = { [subscriptionId]: idOf(request) }
    expect((await stream.next()).params).toEqual({
      _meta,
      notifications: { resourceSubscriptions: ['note:a', 'weir:b:note:shared'] },
    })
    library.change('a', 'note:shared')
    library.change('b', 'note:shared')
    const method = 'notifications/resources/updated'
    expect(await stream.next()).toEqual({
      jsonrpc: '2.0',
      method,
      params: { _meta, uri: 'weir:b:note:shared' },
    })
    library.change('a', 'note:a')
    expect((await stream.next()).params).toEqual({ _meta, uri: 'note:a' })
    stream.leave()
  })

  it('are followed until the client leaves', async () => {
    const nothing = () => vi.waitFor(() => expect(library.watching()).toBe(0))
    await nothing()
    const stream = await gateway.open(listen({ resourceSubscriptions: ['note:a', 'note:b'] }))
    await stream.next()
    expect(library.watching()).toBe(2)
    stream.leave()
    await nothing()
  })

  it('and lists that change a hundred times in one turn are said once', async () => {
    const all = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true }
    const stream = await gateway.open(listen({ ...all, resourceSubscriptions: ['note:a'] }))
    expect((await stream.next()).params?.['notifications']).toEqual({
      ...all,
      resourceSubscriptions: ['note:a'],
    })
    for (let time = 0; time < 100; time += 1) {
      library.change('a', 'note:a')
      library.add(`burst${time}`)
    }
    const methods = [(await stream.next()).method, (await stream.next()).method, (await stream.next()).method]
    expect(methods.sort()).toEqual([
      'notifications/prompts/list_changed',
      'notifications/resources/list_changed',
      'notifications/resources/updated',
    ])
    gateway.probe.addTool('after_the_burst')
    expect((await stream.next()).method).toBe('notifications/tools/list_changed')
    stream.leave()
  })

  it.each<[string, unknown]>([
    ['no list', 'note:a'],
    ['a list of anything but texts', ['note:a', 7]],
    ['1,001 URIs', Array.from({ length: 1_001 }, (_, at) => `note:${at}`)],
  ])('are refused where they are %s', async (_what, resourceSubscriptions) => {
    const reply = await gateway.send(listen({ resourceSubscriptions }))
    expect([reply.status, reply.messages[0]?.error?.code]).toEqual([400, -32602])
  })

  it('R6: of a connection that is still starting are waited for', async () => {
    const slow = createLibrary(true)
    await using starting = await startGateway(twoShelves, [slow.connector], 0)
    const opening = starting.open(listen({ resourceSubscriptions: ['note:a'] }))
    await starting.legacy('ping')
    slow.unlock()
    const stream = await opening
    expect((await stream.next()).params).toMatchObject({
      notifications: { resourceSubscriptions: ['note:a'] },
    })
    stream.leave()
  })
})
