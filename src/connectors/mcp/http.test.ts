import { describe, expect, it } from 'vitest'
import { Cancellation } from '../../core/cancellation.ts'
import { WeirError } from '../../core/error.ts'
import type { CallEvent } from '../../core/event.ts'
import type { FakeCall, FakeMcpServer } from '../../testing/fake-mcp-server.ts'
import { mcpConfig } from './config.ts'
import { callsOf, createContext, failure, openUpstream, useUpstreams } from './fixtures/upstream.fixture.ts'

const { start, connect } = useUpstreams()
const eras = ['modern', 'legacy'] as const

describe.each(eras)('a %s server', (era) => {
  it('is found out, listed, called and checked', async () => {
    const server = await start({ era })
    const upstream = await connect(server.url)
    expect(upstream.connection.targets().map(({ name, effect }) => [name, effect])).toEqual([
      ['echo', 'write'],
    ])
    expect(await upstream.call('echo', { a: [1, 'é'] })).toEqual({
      content: [{ type: 'text', text: '{"a":[1,"é"]}' }],
    })
    await upstream.connection.check(new AbortController().signal)
    expect(server.seen.at(-1)?.method).toBe(era === 'modern' ? 'server/discover' : 'ping')
    expect(server.sessions).toBe(era === 'modern' ? 0 : 1)
    await upstream.connection.close()
    expect(server.sessions).toBe(0)
  })

  it('gets configured headers, and none of them overrides the protocol’s', async () => {
    const server = await start({ era })
    const upstream = await connect(server.url, { headers: { Authorization: 'Bearer abc' } })
    await upstream.call('echo')
    expect(server.seen.length).toBeGreaterThan(2)
    for (const { headers } of server.seen) expect(headers.authorization).toBe('Bearer abc')
    expect(() => upstreamConfig({ 'Mcp-Session-Id': 'mine' })).toThrow('set by Weir itself')
  })

  it('gets the caller’s meta, and a token of ours only where progress is wanted', async () => {
    const server = await start({ era })
    const upstream = await connect(server.url)
    await upstream.call('echo', {}, { meta: { traceparent: '00-a-b-01', 'com.example/x': { y: 1 } } })
    await upstream.call('echo', {}, { wantsProgress: true })
    const [plain, wanting] = callsOf(server).map(({ params }) => params['_meta'] as Record<string, unknown>)
    expect(plain).toMatchObject({ traceparent: '00-a-b-01', 'com.example/x': { y: 1 } })
    expect(plain).not.toHaveProperty('progressToken')
    expect(wanting?.['progressToken']).toEqual(expect.any(Number))
  })

  it('tells progress and log of the one call they belong to, unknown fields included', async () => {
    const run = ({ params, notify }: FakeCall) => {
      const { progressToken } = params['_meta'] as { progressToken: number }
      notify('notifications/progress', {
        progressToken,
        progress: 1,
        total: 2,
        message: 'half',
        colour: 'red',
      })
      notify('notifications/message', { level: 'debug', data: 'too mild' })
      notify('notifications/message', { level: 'error', logger: 'l', data: { a: 1 } })
      return { content: [] }
    }
    const server = await start({ era, tools: [{ name: 'slow', run }] })
    const upstream = await connect(server.url)
    const events: CallEvent[] = []
    const emit = (event: CallEvent) => events.push(event)
    await upstream.call('slow', {}, { wantsProgress: true, logLevel: 'warning', emit })
    expect(events).toEqual([
      { kind: 'progress', progress: 1, total: 2, message: 'half', extra: { colour: 'red' } },
      { kind: 'log', level: 'error', logger: 'l', data: { a: 1 } },
    ])
  })

  it('R12: learns of a cancelled call within 100 ms, and the call rejects with the reason', async () => {
    let started = () => {}
    let left = () => {}
    const running = new Promise<void>((resolve) => (started = resolve))
    const leaving = new Promise<void>((resolve) => (left = resolve))
    const run = ({ signal }: { signal: AbortSignal }) => {
      signal.addEventListener('abort', left)
      started()
      return leaving
    }
    const server = await start({ era, tools: [{ name: 'wait', run }] })
    const upstream = await connect(server.url)
    const cancellation = new Cancellation()
    const waiting = failure(upstream.call('wait', {}, { signal: cancellation.signal }))
    await running
    const reason = new WeirError('CANCELLED', 'The client left.')
    const begin = performance.now()
    cancellation.cancel(reason)
    expect(await waiting).toBe(reason)
    await leaving
    expect(performance.now() - begin).toBeLessThan(100)
  })

  it('has its tools read again when it says they changed', async () => {
    const server = await start({
      era,
      tools: [{ name: 'old' }, { name: 'kept', icons: [{ src: 'data:,' }] }],
    })
    const upstream = await connect(server.url)
    const kept = upstream.tool('kept')
    await listening(server)
    const changed = new Promise<void>((resolve) => upstream.connection.onChange?.(resolve))
    server.setTools([{ name: 'kept', icons: [{ src: 'data:,' }] }, { name: 'new' }])
    await changed
    expect(upstream.connection.targets().map(({ name }) => name)).toEqual(['kept', 'new'])
    expect(upstream.tool('kept')).toBe(kept)
    expect(kept.definition).toEqual({
      name: 'kept',
      inputSchema: { type: 'object' },
      icons: [{ src: 'data:,' }],
    })
  })

  it('gives its results with everything in them', async () => {
    const result = {
      content: [
        { type: 'text', text: 'x', annotations: { priority: 1, odd: true }, extra: [1] },
        { type: 'novel', a: null },
      ],
      structuredContent: [1, 'two'],
      isError: true,
      'x-unknown': { deep: [{}] },
      _meta: { 'com.example/kept': 1, 'io.modelcontextprotocol/serverInfo': { name: 'gone' } },
    }
    const answer = era === 'modern' ? { resultType: 'complete', ...result } : result
    const server = await start({ era, tools: [{ name: 'rich', run: () => answer }] })
    const upstream = await connect(server.url)
    expect(await upstream.call('rich')).toEqual({ ...result, _meta: { 'com.example/kept': 1 } })
  })

  it('that refuses with an error says so in its own words', async () => {
    const server = await start({ era })
    const upstream = await connect(server.url)
    const stale = upstream.tool('echo')
    server.setTools([{ name: 'other' }])
    const error = await failure(stale.run({}, createContext()))
    expect([error.code, error.message, error.data]).toEqual([
      'UPSTREAM_ERROR',
      'Unknown tool',
      { code: -32602, message: 'Unknown tool' },
    ])
  })
})

function upstreamConfig(headers: Record<string, string>): void {
  mcpConfig.parse({ url: 'http://127.0.0.1:1/mcp', headers })
}

/** Resolves once the client listens for news. */
async function listening(server: FakeMcpServer): Promise<void> {
  await expect
    .poll(() =>
      server.seen.some(({ httpMethod, method }) => httpMethod === 'GET' || method === 'subscriptions/listen'),
    )
    .toBe(true)
}

describe('the address', () => {
  it('S10: may be private only where the config says so', async () => {
    const server = await start()
    const error = await failure(openUpstream({ url: server.url }))
    expect([error.code, error.hint]).toEqual(['ADDRESS_NOT_ALLOWED', expect.stringContaining('allowPrivate')])
    expect(server.seen).toEqual([])
  })

  it('that nobody listens on is UPSTREAM_UNREACHABLE', async () => {
    const server = await start()
    await server.close()
    expect((await failure(openUpstream({ url: server.url, allowPrivate: true }))).code).toBe(
      'UPSTREAM_UNREACHABLE',
    )
  })
})
