import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Listing, View } from '../../core/catalog.ts'
import { type Gateway, modernRequest, type OpenReply, startGateway } from './gateway.fixture.ts'
import { createSubscriptions, type Subscriber } from './subscriptions.ts'

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
      params: { _meta, notifications: { toolsListChanged: true } },
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
    expect(heldBytes() - before).toBeLessThan(10 * padding.length)
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

describe('the bound', () => {
  const view = (onListener: (change: number) => void) => ({ tools: listing(onListener) }) as unknown as View
  const listing = (onListener: (change: number) => void): Listing => ({
    version: 0,
    find: () => undefined,
    list: () => [],
    onChange: () => {
      let left = 1
      onListener(1)
      return {
        dispose: () => {
          onListener(-left)
          left = 0
        },
      }
    },
  })
  const subscriber = (): Subscriber => ({ notify() {}, end() {} })

  it('is 1,000 characters for the id that a subscription keeps', () => {
    const subscriptions = createSubscriptions()
    const listenAs = (id: string) => {
      const params = { notifications: { toolsListChanged: true } }
      const request = { kind: 'request', id, method: 'subscriptions/listen', params } as const
      return subscriptions.listen(
        request,
        view(() => {}),
        subscriber(),
      )
    }
    listenAs('x'.repeat(1_000)).dispose()
    expect(() => listenAs('x'.repeat(1_001))).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }))
  })

  it('is 1,000 streams of both eras; one more is refused until one ends, and none leaks', () => {
    let listeners = 0
    const counted = view((change) => {
      listeners += change
    })
    const subscriptions = createSubscriptions()
    const request = { kind: 'request', id: 1, method: 'subscriptions/listen' } as const
    const params = { notifications: { toolsListChanged: true } }
    const open = Array.from({ length: 1_000 }, (_, at) =>
      at % 2 === 0
        ? subscriptions.follow(counted, subscriber())
        : subscriptions.listen({ ...request, params }, counted, subscriber()),
    )
    expect(listeners).toBe(1_000)
    const tooMany = expect.objectContaining({ code: 'TOO_MANY_STREAMS' })
    expect(() => subscriptions.follow(counted, subscriber())).toThrow(tooMany)
    expect(() => subscriptions.listen({ ...request, params }, counted, subscriber())).toThrow(tooMany)
    open[0]?.dispose()
    open[0]?.dispose()
    subscriptions.follow(counted, subscriber())
    expect(() => subscriptions.follow(counted, subscriber())).toThrow(tooMany)
    subscriptions.closeAll()
    expect(listeners).toBe(0)
    subscriptions.follow(counted, subscriber())
  })
})
