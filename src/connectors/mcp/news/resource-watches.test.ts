import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { createFixtureState } from '../../../../test/conformance/fixture/fixture-state.ts'
import { serveHttp } from '../../../../test/conformance/fixture/serve-http.ts'
import { silentLogger } from '../../../core/logger.ts'
import type { FakeMcpServer } from '../../../testing/fake-mcp-server.ts'
import type { Params } from '../../../wire/json-rpc.ts'
import { renderSseMessage } from '../../../wire/sse.ts'
import { startScripted } from '../fixtures/scripted.fixture.ts'
import { useUpstreams } from '../fixtures/upstream.fixture.ts'
import { ResourceWatches } from './resource-watches.ts'

const { connect, closers } = useUpstreams()
const subscribing = { resources: { subscribe: true } }

/** Watches whose follower only notes what it is told. */
function createWatches() {
  const told: string[] = []
  const follower = { changed: (uri: string) => void told.push(uri), renewed: () => void told.push('renewed') }
  return { watches: new ResourceWatches(() => follower, silentLogger), told }
}

describe('watches', () => {
  it('tell the server of each URI once, and when its last watch ends', () => {
    const { watches, told } = createWatches()
    const ends = [watches.add('a:1', () => {}), watches.add('a:1', () => {}), watches.add('a:2', () => {})]
    expect(told).toEqual(['a:1', 'a:2'])
    ends[0]?.dispose()
    ends[0]?.dispose()
    expect([told.length, watches.has('a:1')]).toEqual([2, true])
    ends[1]?.dispose()
    expect([told.at(-1), watches.has('a:1'), watches.uris()]).toEqual(['a:1', false, ['a:2']])
  })

  it('hear of a resource and of what lies below it', () => {
    const { watches } = createWatches()
    const heard: string[] = []
    for (const uri of ['a://x/d', 'a://x/d/', 'a://x/d/e', 'a://x/de'])
      watches.add(uri, () => heard.push(uri))
    const hear = (uri: unknown) => {
      heard.length = 0
      watches.updated(uri)
      return [...heard]
    }
    expect(hear('a://x/d/e')).toEqual(['a://x/d/e', 'a://x/d/', 'a://x/d'])
    expect(hear('a://x/d/')).toEqual(['a://x/d/', 'a://x/d'])
    expect(hear('a://x/d')).toEqual(['a://x/d'])
    expect(hear('a://x')).toEqual([])
    for (const nonsense of [undefined, 7, '', '/', '/'.repeat(100_000)]) expect(hear(nonsense)).toEqual([])
  })

  it('are 10,000 at most, and make room when they end', () => {
    const { watches } = createWatches()
    const all = Array.from({ length: 10_000 }, (_, index) => watches.add(`a:${index % 9_000}`, () => {}))
    expect(all.every((watch) => watch !== undefined)).toBe(true)
    expect(watches.add('a:1', () => {})).toBeUndefined()
    all[0]?.dispose()
    expect(watches.add('b:1', () => {})).toBeDefined()
  })

  it('hold a million characters of URIs at most', () => {
    const { watches } = createWatches()
    const first = watches.add('a'.repeat(1024 * 1024), () => {})
    expect(watches.add('b', () => {})).toBeUndefined()
    first?.dispose()
    expect(watches.add('b', () => {})).toBeDefined()
  })
})

describe('a legacy server', () => {
  it('R7: is told again what is watched when it has lost its session, and what was missed is told', async () => {
    const state = createFixtureState()
    let served = await serveHttp(state, 0)
    closers.push(async () => stop(served.server))
    const upstream = await connect(served.url, { era: 'legacy' })
    let news = 0
    upstream.connection.watch?.('test://watched-resource', () => (news += 1))
    const update = () => {
      state.touch('test://watched-resource')
      return news > 0
    }
    await expect.poll(update, { interval: 100, timeout: 5_000 }).toBe(true)
    stop(served.server)
    served = await serveHttp(state, Number(new URL(served.url).port))
    news = 0
    // Nothing changes meanwhile, and yet something could have.
    await expect.poll(() => news, { timeout: 10_000 }).toBeGreaterThan(0)
    await expect.poll(() => upstream.call('test_simple_text').then(() => true)).toBe(true)
    news = 0
    await expect.poll(update, { interval: 100, timeout: 5_000 }).toBe(true)
  })

  it('is told by at most eight requests at once, and in the order in which it was meant', async () => {
    let open = 0
    let most = 0
    const heard: string[] = []
    const take = (method: string) => (params: Params, response: ServerResponse) => {
      open += 1
      most = Math.max(most, open)
      setTimeout(() => {
        open -= 1
        heard.push(`${method} ${String(params['uri'])}`)
        response.writeHead(200, { 'content-type': 'application/json' })
        response.end(JSON.stringify({ jsonrpc: '2.0', id: idOf(server, params), result: {} }))
      }, 5)
    }
    const server: FakeMcpServer = await startScripted('legacy', subscribing, {
      'resources/subscribe': take('on'),
      'resources/unsubscribe': take('off'),
    })
    closers.push(() => server.close())
    const { connection } = await connect(server.url, { era: 'legacy' })
    const all = Array.from({ length: 100 }, (_, index) => connection.watch?.(`a:${index}`, () => {}))
    for (let round = 0; round < 10; round += 1) {
      all[0]?.dispose()
      all[0] = connection.watch?.('a:0', () => {})
    }
    all[0]?.dispose()
    await expect.poll(() => heard.length).toBe(101)
    expect(most).toBe(8)
    expect(heard.filter((line) => line.endsWith(' a:0'))).toEqual(['on a:0', 'off a:0'])
  })

  it('that refuses a watch is not asked again', async () => {
    let asked = 0
    const server = await startScripted('legacy', subscribing, {
      'resources/subscribe': () => {
        asked += 1
        return { error: { code: -32602, message: 'No such resource' } }
      },
      'resources/unsubscribe': () => {
        asked += 100
        return {}
      },
    })
    closers.push(() => server.close())
    const { connection } = await connect(server.url, { era: 'legacy' })
    const watch = connection.watch?.('a:1', () => {})
    await expect.poll(() => asked).toBe(1)
    watch?.dispose()
    await connection.check(new AbortController().signal)
    expect(asked).toBe(1)
  })
})

describe('a modern server', () => {
  it('gets one stream for all that is watched, and the next one before the last one ends', async () => {
    const openBefore: number[] = []
    const streams: { uris: unknown; closed: boolean; break(): void }[] = []
    const server = await startScripted('modern', subscribing, {
      'subscriptions/listen': ({ notifications }, response) => {
        const { resourceSubscriptions: uris } = notifications as { resourceSubscriptions: unknown }
        const stream = { uris, closed: false, break: () => response.destroy() }
        response.once('close', () => (stream.closed = true))
        openBefore.push(streams.filter(({ closed }) => !closed).length)
        streams.push(stream)
        const method = 'notifications/subscriptions/acknowledged'
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(
          renderSseMessage(JSON.stringify({ jsonrpc: '2.0', method, params: { notifications } })),
        )
      },
    })
    closers.push(() => server.close())
    const { connection } = await connect(server.url, { era: 'modern' })
    let news = 0
    const first = connection.watch?.('a:1', () => (news += 1))
    connection.watch?.('a:2', () => {})
    await expect.poll(() => streams.map(({ uris }) => uris)).toEqual([['a:1', 'a:2']])
    first?.dispose()
    const again = connection.watch?.('a:3', () => (news += 1))
    await expect.poll(() => streams.map(({ closed }) => closed)).toEqual([true, false])
    expect(streams[1]?.uris).toEqual(['a:2', 'a:3'])
    expect(news).toBe(0)
    streams[1]?.break()
    await expect.poll(() => news, { timeout: 5_000 }).toBe(1)
    expect(streams[2]?.uris).toEqual(['a:2', 'a:3'])
    expect(openBefore).toEqual([0, 1, 0])
    again?.dispose()
  })

  it('that agrees to tell of nothing is not asked again', async () => {
    let asked = 0
    const server = await startScripted('modern', subscribing, {
      'subscriptions/listen': (_, response) => {
        asked += 1
        const params = { notifications: {} }
        const method = 'notifications/subscriptions/acknowledged'
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(renderSseMessage(JSON.stringify({ jsonrpc: '2.0', method, params })))
      },
    })
    closers.push(() => server.close())
    const { connection } = await connect(server.url, { era: 'modern' })
    connection.watch?.('a:1', () => {})
    await expect.poll(() => asked).toBe(1)
    // A stream that broke would be opened again within a second.
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(asked).toBe(1)
  })
})

function stop(server: { close(): unknown; closeAllConnections(): void }): void {
  server.close()
  server.closeAllConnections()
}

function idOf(server: FakeMcpServer, params: object): unknown {
  return server.seen.find((one) => one.params === params)?.id
}
