import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Gateway, modernMeta, modernRequest, startGateway, version } from './gateway.fixture.ts'

let gateway: Gateway
beforeAll(async () => {
  gateway = await startGateway()
})
afterAll(() => gateway[Symbol.asyncDispose]())

const call = (tool: string, input: object = {}, params: object = {}) =>
  modernRequest('tools/call', { name: `probe__${tool}`, arguments: input, ...params })
const without = (key: string) => {
  const { [key]: _left, ...rest } = modernMeta()
  return rest
}
const key = (name: string) => `io.modelcontextprotocol/${name}`

describe('a request of 2026-07-28 over HTTP', () => {
  it('is answered as plain JSON, with resultType and serverInfo, where nothing is said before', async () => {
    const reply = await gateway.send(call('echo', { a: 1 }))
    expect(reply.status).toBe(200)
    expect(reply.headers['content-type']).toMatch(/^application\/json/)
    expect(reply.headers['mcp-session-id']).toBeUndefined()
    expect(reply.messages[0]?.result).toEqual({
      content: [{ type: 'text', text: '{"echo":{"a":1}}' }],
      structuredContent: { echo: { a: 1 } },
      resultType: 'complete',
      _meta: { [key('serverInfo')]: { name: 'weir', version: expect.any(String) } },
    })
  })

  it('lists and discovers with resultType, ttlMs and cacheScope', async () => {
    for (const method of [
      'server/discover',
      'tools/list',
      'resources/list',
      'resources/templates/list',
      'prompts/list',
    ]) {
      const { status, messages } = await gateway.modern(method)
      expect(status, method).toBe(200)
      expect(messages[0]?.result, method).toMatchObject({
        resultType: 'complete',
        ttlMs: expect.any(Number),
        cacheScope: 'private',
        _meta: { [key('serverInfo')]: { name: 'weir' } },
      })
    }
    const discovered = (await gateway.modern('server/discover')).messages[0]?.result
    expect(discovered?.['supportedVersions']).toContain(version)
    expect(discovered?.['supportedVersions']).toContain('2025-11-25')
  })

  it('lists tools twice in the same order, byte for byte', async () => {
    const [first, second] = [await gateway.modern('tools/list'), await gateway.modern('tools/list')]
    expect(first.messages[0]?.result).toEqual(second.messages[0]?.result)
    expect(JSON.stringify(first.messages[0]?.result)).toBe(JSON.stringify(second.messages[0]?.result))
  })

  const metaTable: readonly [string, unknown, number][] = [
    ['no _meta at all', undefined, -32602],
    ['a _meta that is no object', 'x', -32602],
    ['no protocolVersion in the body', without(key('protocolVersion')), -32602],
    ['no clientCapabilities', without(key('clientCapabilities')), -32602],
    ['capabilities that are no object', modernMeta({ [key('clientCapabilities')]: [] }), -32602],
    ['another version in the body', modernMeta({ [key('protocolVersion')]: '2025-11-25' }), -32020],
    ['a version in the body that is no text', modernMeta({ [key('protocolVersion')]: 1 }), -32020],
  ]
  it.each(metaTable)('with %s is refused with 400', async (_what, _meta, code) => {
    const reply = await gateway.modern('tools/list', { _meta })
    expect([reply.status, reply.messages[0]?.error?.code]).toEqual([400, code])
  })

  it('needs no clientInfo', async () => {
    expect((await gateway.modern('tools/list', { _meta: without(key('clientInfo')) })).status).toBe(200)
  })

  it('of an unknown version is refused with 400, -32022 and the versions there are', async () => {
    const _meta = modernMeta({ [key('protocolVersion')]: '1900-01-01' })
    const headers = { 'mcp-protocol-version': '1900-01-01' }
    const reply = await gateway.modern('tools/list', { _meta }, { headers })
    expect(reply.status).toBe(400)
    expect(reply.messages[0]).toMatchObject({
      id: expect.any(Number),
      error: {
        code: -32022,
        data: { requested: '1900-01-01', supported: expect.arrayContaining([version]) },
      },
    })
  })

  it.each([
    'initialize',
    'ping',
    'logging/setLevel',
    'resources/subscribe',
    'no/such',
    'constructor',
    '__proto__',
  ])('of the method %s, which the revision has not, is answered with 404 and -32601', async (method) => {
    const reply = await gateway.modern(method)
    expect([reply.status, reply.messages[0]?.error?.code]).toEqual([404, -32601])
  })

  it.each([
    ['tools/call', { name: 'probe__none' }],
    ['resources/read', { uri: 'file:///none' }],
    ['prompts/get', { name: 'none' }],
  ])('%s of what is not there is a 400 with -32602', async (method, params) => {
    const reply = await gateway.modern(method, params)
    expect([reply.status, reply.messages[0]?.error?.code]).toEqual([400, -32602])
  })

  it('that is a notification is accepted with 202 and nothing in it', async () => {
    const body = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }
    const reply = await gateway.send({ body, headers: { 'mcp-protocol-version': version } })
    expect([reply.status, reply.text]).toEqual([202, ''])
  })

  it('that is a notification of an unknown version is refused with an error without an id', async () => {
    const body = { jsonrpc: '2.0', method: 'notifications/cancelled' }
    const reply = await gateway.send({ body, headers: { 'mcp-protocol-version': '1900-01-01' } })
    expect(reply.status).toBe(400)
    expect(reply.messages[0]).not.toHaveProperty('id')
  })

  it.each(['GET', 'DELETE'])('has no %s: 405', async (method) => {
    const reply = await gateway.send({ method, headers: { 'mcp-protocol-version': version } })
    expect([reply.status, reply.headers['allow']]).toEqual([405, 'POST'])
  })

  it('ignores a session id, whatever it is', async () => {
    const reply = await gateway.modern('tools/list', {}, { headers: { 'mcp-session-id': 'forged' } })
    expect(reply.status).toBe(200)
  })

  it('keeps its id: text, zero, negative, large', async () => {
    for (const id of ['', 'a"b', 0, -1, Number.MAX_SAFE_INTEGER]) {
      const { body, headers } = modernRequest('tools/list')
      const reply = await gateway.send({ body: { ...(body as object), id }, ...(headers && { headers }) })
      expect(reply.messages[0]?.id).toBe(id)
    }
  })

  it.each([null, 1.5, {}, true])('with the id %j is no request', async (id) => {
    const { body, headers } = modernRequest('tools/list')
    const reply = await gateway.send({ body: { ...(body as object), id }, ...(headers && { headers }) })
    expect([reply.status, reply.messages[0]?.error?.code]).toEqual([400, -32600])
    expect(reply.messages[0]).not.toHaveProperty('id')
  })
})

describe('what a tool is told', () => {
  it('is the rest of _meta, the capabilities and the log level, and nothing of the protocol’s own', async () => {
    const _meta = modernMeta({ traceparent: '00-a-b-01', 'com.example/x': 1, [key('logLevel')]: 'info' })
    await gateway.send(call('context', {}, { _meta: { ..._meta, progressToken: 7 } }))
    expect(gateway.probe.contexts.at(-1)).toMatchObject({
      meta: { traceparent: '00-a-b-01', 'com.example/x': 1 },
      clientCapabilities: { elicitation: {} },
      logLevel: 'info',
      wantsProgress: true,
      caller: { subject: 'local:embedder', tenant: 'default' },
    })
    expect(Object.keys(gateway.probe.contexts.at(-1)?.meta ?? {})).toEqual(['traceparent', 'com.example/x'])
  })
})

describe('an event stream', () => {
  it('carries progress under the client’s token, then the answer, and ends', async () => {
    const _meta = modernMeta({ progressToken: 'p"1' })
    const reply = await gateway.send(call('progress', { steps: 3 }, { _meta }))
    expect(reply.headers['content-type']).toBe('text/event-stream')
    expect(reply.headers['x-accel-buffering']).toBe('no')
    expect(reply.messages.map(({ method, params }) => [method, params?.['progress']])).toEqual([
      ['notifications/progress', 1],
      ['notifications/progress', 2],
      ['notifications/progress', 3],
      [undefined, undefined],
    ])
    expect(reply.messages[0]?.params).toEqual({
      progressToken: 'p"1',
      progress: 1,
      total: 3,
      message: 'step 1',
    })
    expect(reply.messages[3]?.result).toMatchObject({ resultType: 'complete' })
  })

  it('is not begun for progress that nobody asked for, nor for a client that takes JSON only', async () => {
    const unasked = await gateway.send(call('progress', { steps: 3 }))
    expect(unasked.headers['content-type']).toMatch(/^application\/json/)
    const { body, headers } = call('progress', { steps: 3 }, { _meta: modernMeta({ progressToken: 1 }) })
    const plain = await gateway.send({ body, headers: { ...headers, accept: 'application/json' } })
    expect(plain.headers['content-type']).toMatch(/^application\/json/)
    expect(plain.messages).toHaveLength(1)
  })

  it.each([
    [undefined, []],
    ['debug', ['debug', 'info', 'warning', 'error']],
    ['warning', ['warning', 'error']],
    ['emergency', []],
  ])('carries logs from the level %s on', async (level, expected) => {
    const _meta = modernMeta(level === undefined ? {} : { [key('logLevel')]: level })
    const { messages } = await gateway.send(call('logs', {}, { _meta }))
    const logs = messages.filter(({ method }) => method === 'notifications/message')
    expect(logs.map(({ params }) => params)).toEqual(
      expected.map((one) => ({ level: one, logger: 'probe', data: one })),
    )
    expect(messages.at(-1)?.result).toBeDefined()
  })

  it('is what a client gets that takes nothing else, and a refusal keeps its status', async () => {
    const { body, headers } = call('echo')
    const reply = await gateway.send({ body, headers: { ...headers, accept: 'text/event-stream' } })
    expect(reply.headers['content-type']).toBe('text/event-stream')
    expect(reply.messages[0]?.result).toMatchObject({ structuredContent: { echo: {} } })
    const accept = { headers: { accept: 'text/event-stream' } }
    expect((await gateway.modern('no/such', {}, accept)).status).toBe(404)
  })

  it('is refused to a client that takes neither type: 406', async () => {
    expect((await gateway.modern('tools/list', {}, { headers: { accept: 'text/html' } })).status).toBe(406)
  })

  it('is not begun by what a tool says after its answer, and the gateway lives on', async () => {
    const emitted = gateway.probe.when('late:emitted')
    const reply = await gateway.send(call('late', {}, { _meta: modernMeta({ progressToken: 1 }) }))
    expect(reply.messages).toHaveLength(1)
    await emitted
    expect((await gateway.send(call('echo'))).status).toBe(200)
  })
})

describe('how a call ends', () => {
  it('a failed tool is a result with isError, its code, its hint, and no stack', async () => {
    const { status, text, messages } = await gateway.send(call('fail'))
    expect(status).toBe(200)
    const error = {
      code: 'SQL_ERROR',
      message: 'no such table: t',
      hint: 'Look at the tables.',
      retryable: false,
    }
    expect(messages[0]?.result).toMatchObject({
      isError: true,
      resultType: 'complete',
      content: [{ type: 'text', text: 'SQL_ERROR: no such table: t Look at the tables.' }],
      structuredContent: { error },
      _meta: { 'weir/error': error },
    })
    expect(text).not.toContain('.ts:')
  })

  it('a tool that breaks says nothing of why', async () => {
    const { text, messages } = await gateway.send(call('crash'))
    expect(messages[0]?.result).toMatchObject({
      isError: true,
      _meta: { 'weir/error': { code: 'INTERNAL' } },
    })
    expect(text).not.toContain('hunter2')
  })

  it('arguments that break the schema are a result with isError', async () => {
    const { status, messages } = await gateway.send(call('strict', { n: 'x' }))
    expect(status).toBe(200)
    expect(messages[0]?.result).toMatchObject({
      isError: true,
      _meta: { 'weir/error': { code: 'INVALID_INPUT' } },
    })
  })

  it.each([[[1]], ['x'], [null]])('arguments of %j are refused with -32602', async (input) => {
    const reply = await gateway.modern('tools/call', { name: 'probe__echo', arguments: input })
    expect([reply.status, reply.messages[0]?.error?.code]).toEqual([400, -32602])
  })

  it('a large answer comes whole', async () => {
    const { messages } = await gateway.send(call('huge', { bytes: 8_000_000 }))
    expect(JSON.stringify(messages[0]?.result).length).toBeGreaterThan(8_000_000)
  })

  it('R12: a client that leaves stops its tool within 100 ms', async () => {
    const started = gateway.probe.when('slow')
    const aborted = gateway.probe.when('slow:aborted')
    const request = modernRequest('tools/call', { name: 'probe__slow', arguments: {} })
    const leaving = new AbortController()
    const sent = fetch(new URL('/mcp', gateway.url), {
      method: 'POST',
      headers: { ...request.headers, 'content-type': 'application/json' },
      body: JSON.stringify(request.body),
      signal: leaving.signal,
    }).catch(() => 'left')
    await started
    const leftAt = performance.now()
    leaving.abort()
    await aborted
    expect(performance.now() - leftAt).toBeLessThan(100)
    expect(await sent).toBe('left')
  })

  it('R12: a client that leaves an open stream stops its tool, and what that still says goes nowhere', async () => {
    const request = call('stubborn', {}, { _meta: modernMeta({ progressToken: 1 }) })
    const stream = await gateway.open(request)
    expect((await stream.next()).method).toBe('notifications/progress')
    const emitted = gateway.probe.when('stubborn:emitted')
    const leftAt = performance.now()
    stream.leave()
    await emitted
    expect(performance.now() - leftAt).toBeLessThan(100)
    expect((await gateway.send(call('echo'))).status).toBe(200)
  })
})
