import type { ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { Cancellation } from '../../core/cancellation.ts'
import { WeirError } from '../../core/error.ts'
import type { CallEvent } from '../../core/event.ts'
import { silentLogger } from '../../core/logger.ts'
import { InputRequired } from '../../core/outcome.ts'
import {
  type FakeCall,
  type FakeMcpServer,
  type FakeMcpServerOptions,
  startFakeMcpServer,
} from '../../testing/fake-mcp-server.ts'
import { mcpConfig } from './config.ts'
import { createContext, openUpstream, type Upstream } from './fixtures/open-upstream.ts'

const closers: (() => Promise<void>)[] = []

afterEach(async () => {
  // The connection goes first: it says goodbye to its server.
  for (const close of closers.splice(0).reverse()) await close()
})

async function start(options: FakeMcpServerOptions = {}): Promise<FakeMcpServer> {
  const server = await startFakeMcpServer(options)
  closers.push(() => server.close())
  return server
}

async function connect(url: string, more: object = {}, options = {}): Promise<Upstream> {
  const upstream = await openUpstream({ url, allowPrivate: true, ...more }, options)
  closers.push(() => upstream.close())
  return upstream
}

async function failure(promise: Promise<unknown>): Promise<WeirError> {
  const error = await promise.then(
    () => expect.fail('It should have been rejected.'),
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(WeirError)
  return error as WeirError
}

function calls(server: FakeMcpServer) {
  return server.seen.filter(({ method }) => method === 'tools/call')
}

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
    const [plain, wanting] = calls(server).map(({ params }) => params['_meta'] as Record<string, unknown>)
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

  it.each([401, 403])('that asks for a credential by status %i is UPSTREAM_AUTH', async (status) => {
    const refuse = (_: unknown, response: ServerResponse) => response.writeHead(status).end() !== undefined
    const server = await start({ era, intercept: refuse })
    expect((await failure(connect(server.url, { era }))).code).toBe('UPSTREAM_AUTH')
    expect((await failure(connect(server.url))).code).toBe('UPSTREAM_AUTH')
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

  it.each([
    ['a body that is no JSON', 'application/json', '{"jsonrpc":"2.0",', 'UPSTREAM_PROTOCOL'],
    ['a page of HTML', 'text/html', '<html>', 'UPSTREAM_PROTOCOL'],
    [
      'the answer to another request',
      'application/json',
      '{"jsonrpc":"2.0","id":"x","result":{}}',
      'UPSTREAM_PROTOCOL',
    ],
    ['a stream that ends before the answer', 'text/event-stream', ':\n\n', 'UPSTREAM_PROTOCOL'],
    ['a stream of rubbish', 'text/event-stream', 'data: {"a":1}\n\n', 'UPSTREAM_PROTOCOL'],
    ['nesting without end', 'application/json', '['.repeat(100_000), 'UPSTREAM_PROTOCOL'],
    ['content that is no list', 'application/json', undefined, 'UPSTREAM_PROTOCOL'],
  ])('that answers with %s is UPSTREAM_PROTOCOL', async (_, type, body, code) => {
    const server = await start({
      era,
      tools: [{ name: 'bad', run: () => ({ content: 'text' }) }],
      intercept: ({ method }, response) => {
        if (method !== 'tools/call' || body === undefined) return undefined
        response.writeHead(200, { 'content-type': type }).end(body)
        return true
      },
    })
    const upstream = await connect(server.url)
    expect((await failure(upstream.call('bad'))).code).toBe(code)
  })

  it('R22: that sends an event without end is cut off at the limit', async () => {
    const server = await start({ era, intercept: floodCalls('data: ', 'x') })
    const upstream = await connect(server.url)
    const error = await failure(upstream.call('echo'))
    expect(['UPSTREAM_PROTOCOL', 'RESPONSE_TOO_LARGE']).toContain(error.code)
  })

  it('R22: that sends events without end is cut off at the limit', async () => {
    const event = 'data: {"jsonrpc":"2.0","method":"notifications/x"}\n\n'
    const server = await start({ era, intercept: floodCalls('', event) })
    const upstream = await connect(server.url)
    expect((await failure(upstream.call('echo'))).code).toBe('RESPONSE_TOO_LARGE')
  })

  it('that leaves its stream open after the answer does not hold up the call', async () => {
    const server = await start({
      era,
      intercept: ({ method, id }, response) => {
        if (method !== 'tools/call') return undefined
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(`data: {"jsonrpc":"2.0","id":${id},"result":{"content":[]}}\n\n`)
        return true
      },
    })
    const upstream = await connect(server.url)
    expect(await upstream.call('echo')).toEqual({ content: [] })
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

/** The id of the newest call, which asked for progress and so carries it as its token. */
function lastId(server: FakeMcpServer): number {
  const { params } = calls(server).at(-1) ?? { params: {} }
  return (params['_meta'] as { progressToken: number }).progressToken
}

function upstreamConfig(headers: Record<string, string>): void {
  mcpConfig.parse({ url: 'http://127.0.0.1:1/mcp', headers })
}

/** Answers calls with one head and then the same piece for ever. */
function floodCalls(head: string, piece: string): NonNullable<FakeMcpServerOptions['intercept']> {
  return ({ method }, response) => {
    if (method !== 'tools/call') return undefined
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(head)
    const block = piece.repeat(Math.ceil(65_536 / piece.length))
    const more = () => {
      while (!response.destroyed && response.write(block));
      if (!response.destroyed) response.once('drain', more)
    }
    more()
    return true
  }
}

/** Resolves once the client listens for news. */
async function listening(server: FakeMcpServer): Promise<void> {
  await expect
    .poll(() =>
      server.seen.some(({ httpMethod, method }) => httpMethod === 'GET' || method === 'subscriptions/listen'),
    )
    .toBe(true)
}

describe('a modern server', () => {
  it('gets what the client can do, but for tasks, which Weir cannot carry', async () => {
    const server = await start({ era: 'modern' })
    const upstream = await connect(server.url)
    const extensions = { 'io.modelcontextprotocol/tasks': {}, 'io.modelcontextprotocol/ui': {} }
    await upstream.call('echo', {}, { clientCapabilities: { elicitation: {}, extensions } })
    expect(calls(server)[0]?.params['_meta']).toMatchObject({
      'io.modelcontextprotocol/clientCapabilities': {
        elicitation: {},
        extensions: { 'io.modelcontextprotocol/ui': {} },
      },
    })
  })

  it('may ask its caller first, and gets answers and state back', async () => {
    const questions = { who: { method: 'elicitation/create', params: { message: 'Who?' } } }
    const server = await start({
      era: 'modern',
      tools: [
        {
          name: 'ask',
          run: ({ params }) =>
            params['inputResponses'] === undefined
              ? { resultType: 'input_required', inputRequests: questions, requestState: 'sealed' }
              : { resultType: 'complete', content: [], structuredContent: params },
        },
      ],
    })
    const upstream = await connect(server.url)
    const asked = await upstream.call('ask')
    expect(asked).toEqual(new InputRequired(questions, 'sealed'))
    const answers = { responses: { who: { action: 'accept', content: { name: 'Ada' } } }, resume: 'sealed' }
    expect(await upstream.call('ask', {}, { answers })).toMatchObject({
      structuredContent: { inputResponses: answers.responses, requestState: 'sealed' },
    })
  })

  it('that answers with an unknown kind of result is UPSTREAM_PROTOCOL', async () => {
    const server = await start({
      era: 'modern',
      tools: [{ name: 'odd', run: () => ({ resultType: 'task' }) }],
    })
    const upstream = await connect(server.url)
    const error = await failure(upstream.call('odd'))
    expect([error.code, error.message]).toEqual(['UPSTREAM_PROTOCOL', expect.stringContaining('"task"')])
  })

  it('that misses a capability says which', async () => {
    const server = await start({
      era: 'modern',
      intercept: ({ method }, response) => {
        if (method !== 'tools/call') return undefined
        const error = {
          code: -32021,
          message: 'Needs elicitation',
          data: { requiredCapabilities: { elicitation: {} } },
        }
        response.writeHead(400, { 'content-type': 'application/json' })
        response.end(JSON.stringify({ jsonrpc: '2.0', error }))
        return true
      },
    })
    const upstream = await connect(server.url)
    const error = await failure(upstream.call('echo'))
    expect([error.code, error.data]).toEqual([
      'MISSING_CAPABILITY',
      { requiredCapabilities: { elicitation: {} } },
    ])
  })

  const region = { type: 'string', 'x-mcp-header': 'Region' }

  it('gets parameters in headers where its schema asks for it', async () => {
    const inputSchema = {
      type: 'object',
      properties: { region, n: { type: 'integer', 'x-mcp-header': 'N' } },
    }
    const server = await start({ era: 'modern', tools: [{ name: 'größe', inputSchema }] })
    const upstream = await connect(server.url)
    await upstream.call('größe', { region: 'ä\nb', n: 3 })
    await upstream.call('größe', { region: null })
    const [full, empty] = calls(server).map(({ headers }) => headers)
    expect(full).toMatchObject({ 'mcp-param-region': '=?base64?w6QKYg==?=', 'mcp-param-n': '3' })
    expect(full?.['mcp-name']).toMatch(/^=\?base64\?/)
    expect(empty).not.toHaveProperty('mcp-param-region')
  })

  it('has a tool with a broken header annotation left out, and the others served', async () => {
    const broken = { type: 'object', properties: { a: { type: 'array', items: region } } }
    const warnings: object[] = []
    const log = { ...silentLogger, warn: (fields: object) => warnings.push(fields) }
    const server = await start({
      era: 'modern',
      tools: [{ name: 'broken', inputSchema: broken }, { name: 'fine' }],
    })
    const upstream = await connect(server.url, {}, { log })
    expect(upstream.connection.targets().map(({ name }) => name)).toEqual(['fine'])
    expect(warnings).toEqual([{ tool: 'broken', why: expect.stringContaining('x-mcp-header') }])
  })

  it('that changed which parameters travel in headers is asked again once, with the new ones', async () => {
    const server = await start({ era: 'modern', tools: [{ name: 'move', inputSchema: { type: 'object' } }] })
    const upstream = await connect(server.url)
    const stale = upstream.tool('move')
    const inputSchema = { type: 'object', properties: { region } }
    server.setTools([{ name: 'move', inputSchema, run: () => ({ resultType: 'complete', content: [] }) }])
    expect(await stale.run({ region: 'eu' }, createContext())).toEqual({ content: [] })
    expect(calls(server)).toHaveLength(2)
  })
})

describe('a legacy session', () => {
  it('R7: that is lost is opened again once for all calls under way, and each is sent once more', async () => {
    let runs = 0
    const server = await start({
      era: 'legacy',
      tools: [{ name: 'count', run: () => ({ content: [], structuredContent: (runs += 1) }) }],
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
    expect(calls(server)).toHaveLength(2)
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
    expect(calls(server).map(({ headers }) => headers['mcp-session-id'])).toEqual(['session-1', 'session-2'])
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
    expect(calls(server)).toHaveLength(1)
  })
})

describe('the list of tools', () => {
  it('is read page by page, and duplicates, nameless and oversized tools are left out', async () => {
    const big = { name: 'big', description: 'x'.repeat(256 * 1024) }
    const pages: Record<string, object> = {
      '': { tools: [{ name: 'a', description: 'first' }, { name: 7 }, big], nextCursor: 'p2' },
      p2: { tools: [{ name: 'a', description: 'second' }, { name: 'b' }, { name: 'n'.repeat(129) }] },
    }
    const upstream = await connect((await startPaged((cursor) => pages[cursor] ?? {})).url, { era: 'modern' })
    expect(upstream.connection.targets().map(({ name, description }) => [name, description])).toEqual([
      ['a', 'first'],
      ['b', ''],
    ])
  })

  it('ends where its pages lead in a circle', async () => {
    const server = await startPaged(() => ({ tools: [{ name: 'a' }], nextCursor: 'again' }))
    const upstream = await connect(server.url, { era: 'modern' })
    expect(upstream.connection.targets()).toHaveLength(1)
    expect(server.seen.filter(({ method }) => method === 'tools/list')).toHaveLength(2)
  })

  it('ends after 100 pages and after 10,000 tools', async () => {
    let page = 0
    const endless = await startPaged(() => ({ tools: [{ name: `t${page}` }], nextCursor: `c${(page += 1)}` }))
    expect((await connect(endless.url, { era: 'modern' })).connection.targets()).toHaveLength(100)
    const tools = Array.from({ length: 10_001 }, (_, index) => ({ name: `t${index}` }))
    const huge = await startPaged(() => ({ tools, nextCursor: 'more' }))
    expect((await connect(huge.url, { era: 'modern' })).connection.targets()).toHaveLength(10_000)
  })
})

/** A modern server whose pages of tools are the test's own. */
function startPaged(pageOf: (cursor: string) => object): Promise<FakeMcpServer> {
  return start({
    era: 'modern',
    intercept: ({ method, params, id }, response) => {
      if (method !== 'tools/list') return undefined
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result: pageOf(String(params['cursor'] ?? '')) }))
      return true
    },
  })
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
