import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSeal } from '../shared/seal.ts'
import { type Gateway, legacyRequest, startGateway } from './gateway.fixture.ts'

const sessionKey = 'a key that this test shares with its gateway'
let gateway: Gateway
beforeAll(async () => {
  gateway = await startGateway({ server: { sessionKey } })
})
afterAll(() => gateway[Symbol.asyncDispose]())

const inSession = (session: string, version = '2025-11-25') => ({
  headers: { 'mcp-session-id': session, 'mcp-protocol-version': version },
})
const call = (name: string, input: object = {}, more: object = {}) =>
  legacyRequest('tools/call', { name: `probe__${name}`, arguments: input, ...more })

describe('initialize', () => {
  it.each([
    ['2025-11-25', '2025-11-25'],
    ['2025-06-18', '2025-06-18'],
    ['2025-03-26', '2025-03-26'],
    ['2024-11-05', '2024-11-05'],
    ['2026-07-28', '2025-11-25'],
    ['1999-01-01', '2025-11-25'],
    ['nonsense', '2025-11-25'],
    ['constructor', '2025-11-25'],
    [undefined, '2025-11-25'],
    [7, '2025-11-25'],
  ])('that asks for %j is answered with %s and a session', async (protocolVersion, expected) => {
    const reply = await gateway.legacy('initialize', {
      protocolVersion,
      capabilities: {},
      clientInfo: { name: 'test', version: '1' },
    })
    expect(reply.status).toBe(200)
    expect(reply.messages[0]?.result).toMatchObject({
      protocolVersion: expected,
      capabilities: { tools: { listChanged: true }, logging: {} },
      serverInfo: { name: 'weir' },
      instructions: expect.any(String),
    })
    expect(reply.headers['mcp-session-id']).toMatch(/^[\x21-\x7e]+$/)
  })

  it('gives every client another session, even with enormous capabilities, that fits a header', async () => {
    const capabilities = { experimental: { x: 'y'.repeat(100_000) } }
    const [one, two] = [await gateway.initialize('2025-11-25', capabilities), await gateway.initialize()]
    expect(one).not.toBe(two)
    expect(one.length).toBeLessThan(4_000)
    expect((await gateway.legacy('ping', {}, inSession(one))).status).toBe(200)
  })
})

describe('a session', () => {
  it('serves ping, tools/list, tools/call, and adds nothing of the new era to them', async () => {
    const session = inSession(await gateway.initialize())
    expect((await gateway.legacy('ping', {}, session)).messages[0]?.result).toEqual({})
    const listed = (await gateway.legacy('tools/list', {}, session)).messages[0]?.result
    expect(Object.keys(listed ?? {})).toEqual(['tools'])
    const called = await gateway.send({ ...call('echo', { a: 1 }), ...session })
    expect(called.messages[0]?.result).toEqual({
      content: [{ type: 'text', text: '{"echo":{"a":1}}' }],
      structuredContent: { echo: { a: 1 } },
    })
    const body = { jsonrpc: '2.0', method: 'notifications/initialized' }
    expect(await gateway.send({ body, ...session })).toMatchObject({ status: 202, text: '' })
  })

  it('answers misuse with 200 and a JSON-RPC error, as its clients expect', async () => {
    const session = inSession(await gateway.initialize())
    for (const [method, params, code] of [
      ['no/such', {}, -32601],
      ['server/discover', {}, -32601],
      ['tools/call', { name: 'none' }, -32602],
      ['tools/call', {}, -32602],
      ['logging/setLevel', { level: 'loud' }, -32602],
      ['tools/list', { cursor: 'x' }, -32602],
    ] as const) {
      const reply = await gateway.legacy(method, params, session)
      expect([method, reply.status, reply.messages[0]?.error?.code]).toEqual([method, 200, code])
    }
  })

  it.each(['GET', 'POST', 'DELETE'])('that is not ours is a 404 on %s', async (method) => {
    for (const forged of [
      'forged',
      'A'.repeat(200),
      createSeal('session', 'another').seal({ v: '2025-11-25' }),
    ]) {
      const sending = { ...(method === 'POST' ? legacyRequest('ping') : {}), method, ...inSession(forged) }
      expect((await gateway.send(sending)).status).toBe(404)
    }
  })

  it('S5: of another caller answers as if it did not exist, to POST, GET and DELETE', async () => {
    const sealed = { v: '2025-11-25', c: {}, t: 'default', e: Date.now() + 60_000 }
    const seal = createSeal('session', sessionKey)
    const mine = seal.seal({ ...sealed, s: 'local:embedder' })
    expect((await gateway.legacy('ping', {}, inSession(mine))).status).toBe(200)
    const others = [
      seal.seal({ ...sealed, s: 'local:mallory' }),
      seal.seal({ ...sealed, s: 'local:embedder', t: 'other' }),
      seal.seal({ ...sealed, s: 'local:embedder', e: Date.now() - 1 }),
    ]
    for (const other of others) {
      const forged = await gateway.legacy('ping', {}, inSession('forged'))
      const reply = await gateway.legacy('ping', {}, inSession(other))
      expect([reply.status, reply.messages[0]?.error]).toEqual([404, forged.messages[0]?.error])
      expect((await gateway.send({ method: 'GET', ...inSession(other) })).status).toBe(404)
      expect((await gateway.send({ method: 'DELETE', ...inSession(other) })).status).toBe(404)
    }
  })

  it('ends with DELETE, under every spelling of its id', async () => {
    const session = await gateway.initialize()
    expect((await gateway.send({ method: 'DELETE', ...inSession(session) })).status).toBe(204)
    for (const id of [session, `${session}=`, `${session}!`]) {
      expect((await gateway.legacy('ping', {}, inSession(id))).status).toBe(404)
    }
    expect((await gateway.send({ method: 'DELETE', ...inSession(session) })).status).toBe(404)
  })

  it('is not needed: a request without one is taken for 2025-03-26', async () => {
    expect((await gateway.legacy('ping')).status).toBe(200)
    expect((await gateway.send(call('echo'))).messages[0]?.result).toHaveProperty('structuredContent')
  })

  it('with an unknown version in its header is refused: 400', async () => {
    const reply = await gateway.legacy('ping', {}, inSession(await gateway.initialize(), '1999-01-01'))
    expect(reply.status).toBe(400)
  })
})

describe('streams of a session', () => {
  it('GET carries list_changed and ends when the client leaves', async () => {
    const session = await gateway.initialize()
    const stream = await gateway.open({ method: 'GET', ...inSession(session) })
    expect([stream.status, stream.headers['content-type']]).toEqual([200, 'text/event-stream'])
    gateway.probe.addTool('added_for_get')
    expect(await stream.next()).toEqual({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })
    stream.leave()
    const listed = (await gateway.legacy('tools/list', {}, inSession(session))).text
    expect(listed).toContain('probe__added_for_get')
  })

  it('DELETE ends the session’s streams and stops its calls, and no other session’s', async () => {
    const [mine, other] = [inSession(await gateway.initialize()), inSession(await gateway.initialize())]
    const stream = await gateway.open({ method: 'GET', ...mine })
    const others = await gateway.open({ method: 'GET', ...other })
    const started = gateway.probe.when('slow')
    const running = gateway.send({ ...call('slow'), ...mine })
    await started
    const aborted = gateway.probe.when('slow:aborted')
    expect((await gateway.send({ method: 'DELETE', ...mine })).status).toBe(204)
    await aborted
    expect((await running).text).toContain('CANCELLED')
    expect(await stream.rest()).toEqual([])
    gateway.probe.addTool('added_after_delete')
    expect((await others.next()).method).toBe('notifications/tools/list_changed')
    others.leave()
  })

  it('GET is a 405 without a session and a 406 for a client that takes no stream', async () => {
    expect((await gateway.send({ method: 'GET' })).status).toBe(405)
    const { headers } = inSession(await gateway.initialize())
    const reply = await gateway.send({ method: 'GET', headers: { ...headers, accept: 'application/json' } })
    expect(reply.status).toBe(406)
  })

  it('logging/setLevel holds for the session, and only for it', async () => {
    const [quiet, loud] = [inSession(await gateway.initialize()), inSession(await gateway.initialize())]
    await gateway.legacy('logging/setLevel', { level: 'error' }, quiet)
    const logs = async (session: object) =>
      (await gateway.send({ ...call('logs'), ...session })).messages
        .filter(({ method }) => method === 'notifications/message')
        .map(({ params }) => params?.['level'])
    expect(await logs(quiet)).toEqual(['error'])
    // A session that never said gets what is worth knowing.
    expect(await logs(loud)).toEqual(['info', 'warning', 'error'])
  })

  it('progress comes under the client’s token', async () => {
    const session = inSession(await gateway.initialize())
    const request = call('progress', { steps: 2 }, { _meta: { progressToken: 0 } })
    const { messages } = await gateway.send({ ...request, ...session })
    expect(messages.map(({ params }) => params?.['progressToken'])).toEqual([0, 0, undefined])
  })

  it('R12: notifications/cancelled stops the call it names within 100 ms, and no other session’s', async () => {
    const [mine, other] = [inSession(await gateway.initialize()), inSession(await gateway.initialize())]
    const started = gateway.probe.when('slow')
    const request = call('slow')
    const running = gateway.send({ ...request, ...mine })
    await started
    const { id: requestId } = request.body as { id: number }
    const body = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } }
    expect((await gateway.send({ body, ...other })).status).toBe(202)
    expect(gateway.probe.seen.at(-1)).toBe('slow')
    const aborted = gateway.probe.when('slow:aborted')
    const cancelledAt = performance.now()
    expect((await gateway.send({ body, ...mine })).status).toBe(202)
    await aborted
    expect(performance.now() - cancelledAt).toBeLessThan(100)
    expect((await running).messages[0]?.result).toMatchObject({ isError: true })
  })

  it('a cancellation that names nothing, or nonsense, is accepted and does nothing', async () => {
    const session = inSession(await gateway.initialize())
    for (const requestId of [undefined, null, {}, 'none', '__proto__']) {
      const body = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } }
      expect((await gateway.send({ body, ...session })).status).toBe(202)
    }
  })
})

describe('a batch', () => {
  const ping = (id: number) => ({ jsonrpc: '2.0', id, method: 'ping' })
  const note = { jsonrpc: '2.0', method: 'notifications/initialized' }
  const old = (body: unknown) => ({ body, headers: { 'mcp-protocol-version': '2025-03-26' } })

  it('of 2025-03-26 is answered in its order, notifications and answers without one', async () => {
    const strayAnswer = { jsonrpc: '2.0', id: 9, result: {} }
    const reply = await gateway.send(
      old([ping(1), note, call('fail').body, strayAnswer, { jsonrpc: '1.0', id: 3 }]),
    )
    expect(reply.status).toBe(200)
    expect(reply.messages).toHaveLength(3)
    expect(reply.messages[0]).toEqual({ jsonrpc: '2.0', id: 1, result: {} })
    expect(reply.messages[1]?.result).toMatchObject({ isError: true })
    expect(reply.messages[2]).toMatchObject({ id: 3, error: { code: -32600 } })
  })

  it('of 2024-11-05 is answered too, by session or header', async () => {
    const session = await gateway.initialize('2024-11-05')
    const reply = await gateway.send({ body: [ping(1)], headers: { 'mcp-session-id': session } })
    expect(reply.messages).toEqual([{ jsonrpc: '2.0', id: 1, result: {} }])
  })

  it('of notifications alone is accepted with 202 and nothing in it', async () => {
    expect(await gateway.send(old([note, note]))).toMatchObject({ status: 202, text: '' })
  })

  it.each(['2025-06-18', '2025-11-25'])('of %s is refused', async (version) => {
    const session = await gateway.initialize(version)
    const reply = await gateway.send({ body: [ping(1)], ...inSession(session, version) })
    expect([reply.status, reply.messages[0]?.error?.code]).toEqual([400, -32600])
  })

  it('of 2026-07-28 is refused', async () => {
    const reply = await gateway.send({ body: [ping(1)], headers: { 'mcp-protocol-version': '2026-07-28' } })
    expect(reply.status).toBe(400)
  })

  it('R20: of 100 is answered without a warning of the runtime, of 101 and of none is refused', async () => {
    const warnings: Error[] = []
    const listen = (warning: Error) => warnings.push(warning)
    process.on('warning', listen)
    const full = await gateway.send(old(Array.from({ length: 100 }, (_, id) => ping(id))))
    expect(full.messages.map(({ id }) => id)).toEqual(Array.from({ length: 100 }, (_, id) => id))
    for (const body of [Array.from({ length: 101 }, (_, id) => ping(id)), []]) {
      const reply = await gateway.send(old(body))
      expect([reply.status, reply.messages[0]?.error?.code]).toEqual([400, -32600])
    }
    process.off('warning', listen)
    expect(warnings).toEqual([])
  })

  it('does not open sessions: initialize must come alone', async () => {
    const initialize = legacyRequest('initialize', { protocolVersion: '2025-03-26' }).body
    const reply = await gateway.send(old([initialize, ping(1)]))
    expect(reply.headers['mcp-session-id']).toBeUndefined()
    expect(reply.messages[0]?.error?.code).toBe(-32600)
    expect(reply.messages[1]?.result).toEqual({})
  })

  it('R12: is stopped whole when its client leaves', async () => {
    const started = gateway.probe.when('slow')
    const aborted = gateway.probe.when('slow:aborted')
    const leaving = new AbortController()
    const sent = fetch(new URL('/mcp', gateway.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify([call('slow').body]),
      signal: leaving.signal,
    }).catch(() => 'left')
    await started
    leaving.abort()
    await aborted
    expect(await sent).toBe('left')
  })
})
