import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { FakeMcpServer, FakeMcpServerOptions } from '../../testing/fake-mcp-server.ts'
import { callsOf, failure, useUpstreams } from './fixtures/upstream.fixture.ts'

const { start, connect } = useUpstreams()

describe('a legacy session', () => {
  it('R7: that is lost is opened again once for all calls under way, and each is sent once more', async () => {
    let runs = 0
    const server = await start({
      era: 'legacy',
      tools: [{ name: 'count', run: () => ({ content: [], structuredContent: runs++ }) }],
    })
    const upstream = await connect(server.url)
    for (let round = 0; round < 50; round += 1) {
      server.dropSessions()
      await Promise.all(Array.from({ length: 8 }, () => upstream.call('count')))
      expect(server.sessions).toBe(1)
    }
    expect(runs).toBe(400)
    expect(server.seen.filter(({ method }) => method === 'initialize')).toHaveLength(51)
  })

  it('R7: that is lost at once again fails the call, without a third try', async () => {
    const server = await start({
      era: 'legacy',
      intercept: ({ method }) => void (method === 'tools/call' && server.dropSessions()),
    })
    const upstream = await connect(server.url)
    const error = await failure(upstream.call('echo'))
    expect([error.code, error.data]).toEqual([
      'UPSTREAM_ERROR',
      { status: 404, sessionLost: true, sent: false },
    ])
    expect(callsOf(server)).toHaveLength(2)
  })

  it('R7: lost behind status 400, as servers on the official SDK say it, heals too', async () => {
    const server = await start({
      era: 'legacy',
      intercept: ({ method, headers }, response) => {
        if (method !== 'tools/call' || headers['mcp-session-id'] !== 'session-1') return undefined
        const error = { code: -32000, message: 'Bad Request: No valid session ID provided' }
        response.writeHead(400, { 'content-type': 'application/json' })
        response.end(JSON.stringify({ jsonrpc: '2.0', error, id: null }))
        return true
      },
    })
    const upstream = await connect(server.url)
    expect(await upstream.call('echo')).toMatchObject({ content: [{ text: '{}' }] })
    expect(callsOf(server).map(({ headers }) => headers['mcp-session-id'])).toEqual([
      'session-1',
      'session-2',
    ])
  })

  it('whose answer breaks off is taken up again where the server numbers its events, and never sent again', async () => {
    const server = await start({
      era: 'legacy',
      intercept: ({ method, httpMethod, headers }, response) => {
        const resumed = httpMethod === 'GET' && headers['last-event-id'] === 'e1'
        if (method !== 'tools/call' && !resumed) return undefined
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        if (!resumed) response.end('id: e1\nretry: 10\ndata:\n\n')
        else
          response.end(`id: e2\ndata: {"jsonrpc":"2.0","id":${lastId(server)},"result":{"content":[]}}\n\n`)
        return true
      },
    })
    const upstream = await connect(server.url)
    expect(await upstream.call('echo', {}, { wantsProgress: true })).toEqual({ content: [] })
    expect(callsOf(server)).toHaveLength(1)
  })
})

describe.each(['modern', 'legacy'] as const)('the stream of news of a %s server', (era) => {
  it('is opened again when it breaks, and what was missed meanwhile is read', async () => {
    const streams: ServerResponse[] = []
    const intercept: FakeMcpServerOptions['intercept'] = ({ method, httpMethod }, response) => {
      if (method === 'subscriptions/listen' || httpMethod === 'GET') streams.push(response)
      return undefined
    }
    const server = await start({ era, intercept })
    const upstream = await connect(server.url)
    await expect.poll(() => streams.length).toBe(1)
    const changed = new Promise<void>((resolve) => upstream.connection.onChange?.(resolve))
    streams[0]?.destroy()
    await expect.poll(() => streams[0]?.closed).toBe(true)
    server.setTools([{ name: 'missed' }])
    await changed
    expect(upstream.connection.targets().map(({ name }) => name)).toEqual(['missed'])
    await expect.poll(() => streams.length).toBe(2)
  })

  it('ends where the server has none', async () => {
    const intercept: FakeMcpServerOptions['intercept'] = ({ method, httpMethod, id }, response) => {
      if (method !== 'subscriptions/listen' && httpMethod !== 'GET') return undefined
      const error = { jsonrpc: '2.0', id, error: { code: -32601, message: 'No such method' } }
      response.writeHead(405, { 'content-type': 'application/json' }).end(JSON.stringify(error))
      return true
    }
    const server = await start({ era, intercept })
    const upstream = await connect(server.url)
    await expect
      .poll(() =>
        server.seen.some(
          ({ method, httpMethod }) => method === 'subscriptions/listen' || httpMethod === 'GET',
        ),
      )
      .toBe(true)
    expect(await upstream.call('echo')).toMatchObject({ content: [{ text: '{}' }] })
    expect(
      server.seen.filter(
        ({ method, httpMethod }) => method === 'subscriptions/listen' || httpMethod === 'GET',
      ),
    ).toHaveLength(1)
  })
})

describe('news of changed tools', () => {
  it('that come while the first list is being read are not lost', async () => {
    const lists = [['early'], ['late']]
    const server = await start({
      era: 'legacy',
      intercept: ({ method, id }, response) => {
        if (method !== 'tools/list') return undefined
        const tools = (lists.length > 1 ? lists.shift() : lists[0])?.map((name) => ({ name }))
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        if (tools?.[0]?.name === 'early')
          response.write('data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n')
        response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result: { tools } })}\n\n`)
        return true
      },
    })
    const upstream = await connect(server.url)
    await expect.poll(() => upstream.connection.targets()[0]?.name).toBe('late')
  })
})

describe('a list of tools that cannot be read again', () => {
  it('leaves the known tools in place, and is tried again', async () => {
    let failing = false
    let failed = 0
    const server = await start({
      era: 'modern',
      intercept: ({ method }, response) => {
        if (method !== 'tools/list' || !failing) return undefined
        failed += 1
        response.writeHead(500).end()
        return true
      },
    })
    const upstream = await connect(server.url)
    await expect.poll(() => server.seen.some(({ method }) => method === 'subscriptions/listen')).toBe(true)
    const changed = new Promise<void>((resolve) => upstream.connection.onChange?.(resolve))
    failing = true
    server.setTools([{ name: 'later' }])
    await expect.poll(() => failed).toBe(1)
    expect(upstream.connection.targets().map(({ name }) => name)).toEqual(['echo'])
    failing = false
    await changed
    expect(upstream.connection.targets().map(({ name }) => name)).toEqual(['later'])
  })
})

/** The id of the newest call, which asked for progress and so carries it as its token. */
function lastId(server: FakeMcpServer): number {
  const meta = callsOf(server).at(-1)?.params['_meta'] as { progressToken: number }
  return meta.progressToken
}
