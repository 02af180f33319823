import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Connection } from '../../core/connector.ts'
import {
  createWorld,
  type DialectServer,
  echo,
  failure,
  find,
  json,
  startDialectServer,
  toolsOf,
} from './dialect-server.fixture.ts'

let world: ReturnType<typeof createWorld>
let server: DialectServer
beforeEach(async () => {
  world = createWorld()
  server = await startDialectServer()
})
afterEach(async () => {
  await world.close()
  server.close()
})

const offer = (...tools: unknown[]) => {
  server.discovery = { server_name: 'mail', version: '1', description: '', tools, capabilities: [] }
}
const names = (connection: Connection) => toolsOf(connection).map(({ name }) => name)
const logged = (event: string) => world.lines.filter((line) => line['event'] === event)
const { signal } = new AbortController()
const asked = () => server.seen.filter(({ path }) => path === '/mcp/discover').length
/** The timers are a test's own, the sockets are not: waits for the reading that a timer began. */
const readAfter = async (byMs: number, until = asked() + 1) => {
  await world.clock.advance(byMs)
  await vi.waitFor(() => expect(asked()).toBe(until))
  await vi.waitFor(() => expect(world.clock.pendingMs).toHaveLength(1))
}

describe('D4-030: discovery', () => {
  it('D4-030: happens when the connection opens, and 300 s after each time', async () => {
    const connection = await world.open({ url: `${server.url}/`, headers: { 'X-Key': 'k' } })
    expect(world.clock.pendingMs).toEqual([300_000])
    expect(server.seen[0]).toMatchObject({ method: 'GET', path: '/mcp/discover', headers: { 'x-key': 'k' } })
    let told = 0
    connection.onChange(() => {
      told += 1
    })
    offer(echo, { ...echo, name: 'more' })
    await readAfter(300_000)
    expect([names(connection), told]).toEqual([['echo', 'more'], 1])
    const before = connection.targets()
    await readAfter(300_000)
    expect([connection.targets() === before, told]).toEqual([true, 1])
  })

  it('D4-030: may take 10 s by default, and as long as is configured', async () => {
    expect(world.connector.config.parse({ url: server.url })).toMatchObject({
      discoverTimeout: 10_000,
      interval: 300_000,
    })
    server.discovery = undefined
    server.answer = () => {}
    const error = await failure(world.open({ url: server.url, discoverTimeout: 50 }))
    expect(error.code).toBe('UPSTREAM_TIMEOUT')
  })

  it('one reading at a time: who asks meanwhile waits for the same', async () => {
    const connection = await world.open({ url: server.url })
    await Promise.all([connection.refresh(signal), connection.refresh(signal), connection.refresh(signal)])
    expect([asked(), world.clock.pendingMs]).toEqual([2, [300_000]])
  })

  it('stops for who asked it, and when the connection closes', async () => {
    const connection = await world.open({ url: server.url })
    server.discovery = undefined
    server.answer = () => {}
    const leaving = new AbortController()
    const left = failure(connection.refresh(leaving.signal))
    leaving.abort()
    expect((await left).code).toBe('CANCELLED')
    const cut = failure(connection.refresh(signal))
    await connection.close()
    expect((await cut).code).toBe('CONNECTION_UNAVAILABLE')
    expect(world.clock.pendingMs).toEqual([])
  })
})

describe('B-131: what changes at the server', () => {
  it('B-131: tools that vanish go, changed ones are replaced and logged as drift, the same stay the same', async () => {
    offer(echo, { ...echo, name: 'gone' }, { ...echo, name: 'kept' })
    const connection = await world.open({ url: server.url })
    const [kept, before] = [find(connection, 'kept'), find(connection, 'echo')]
    offer({ ...echo, input_schema: { type: 'object', required: ['text'] } }, { ...echo, name: 'kept' })
    await connection.refresh(signal)
    expect(names(connection)).toEqual(['echo', 'kept'])
    expect(find(connection, 'kept')).toBe(kept)
    expect(find(connection, 'echo')).not.toBe(before)
    expect(logged('tool.drift')).toMatchObject([{ level: 'warn', tool: 'echo', changed: ['input'] }])
    expect(logged('tools.changed')).toMatchObject([
      { drifted: 1, vanished: ['gone'], appeared: [], tools: 2 },
    ])
  })

  it('B-132: a changed category is in one place, because the tool is', async () => {
    offer({ ...echo, category: 'a' })
    const connection = await world.open({ url: server.url })
    offer({ ...echo, category: 'b' })
    await connection.refresh(signal)
    expect(toolsOf(connection).map(({ category }) => category)).toEqual(['b'])
  })

  it('B-131: a server that claims another name is not believed, and its tools stay as they were', async () => {
    const connection = await world.open({ url: server.url })
    const before = connection.targets()
    server.discovery = { server_name: 'bank', tools: [{ ...echo, name: 'pay' }] }
    const error = await failure(connection.refresh(signal))
    expect(error.message).toBe('The server calls itself "bank" and was "mail".')
    expect(connection.targets()).toBe(before)
    expect(logged('discovery.failed')).toMatchObject([
      { level: 'warn', connection: 'up', cause: error.message },
    ])
    expect(world.clock.pendingMs).toEqual([300_000])
  })

  it('B-131: the name is bound when the connection is opened again, and by the configuration', async () => {
    const first = await world.open({ url: server.url })
    const notes = first.notes()
    expect(notes).toEqual({ serverName: 'mail' })
    offer(echo)
    await world.open({ url: server.url }, { notes })
    server.discovery = { server_name: 'bank', tools: [] }
    expect((await failure(world.open({ url: server.url }, { notes }))).code).toBe('UPSTREAM_PROTOCOL')
    await world.open({ url: server.url, serverName: 'bank' }, { notes })
    expect((await failure(world.open({ url: server.url, serverName: 'mail' }))).message).toContain('"bank"')
  })

  it('B-131: a server that is gone three times is a dead connection; one bad answer is not', async () => {
    const connection = await world.open({ url: server.url })
    const deaths: Error[] = []
    connection.onClose((cause) => deaths.push(cause))
    server.discovery = { server_name: 'mail', tools: 'none' }
    await failure(connection.refresh(signal))
    expect(world.clock.pendingMs).toEqual([300_000])
    server.discovery = undefined
    server.answer = json({}, 503)
    await failure(connection.refresh(signal))
    expect(world.clock.pendingMs).toEqual([5_000])
    await readAfter(5_000)
    expect([world.clock.pendingMs, deaths, names(connection)]).toEqual([[10_000], [], ['echo']])
    await world.clock.advance(10_000)
    await vi.waitFor(() => expect(deaths).toHaveLength(1))
    expect(deaths[0]).toMatchObject({ code: 'UPSTREAM_UNREACHABLE' })
    expect(world.clock.pendingMs).toEqual([])
  })
})

describe('what a server says of itself', () => {
  it.each([
    [
      'no JSON',
      (_path: string, response: { end(text: string): void }) => response.end('<html>'),
      'UPSTREAM_PROTOCOL',
    ],
    ['no object', json([]), 'UPSTREAM_PROTOCOL'],
    ['no name', json({ tools: [] }), 'UPSTREAM_PROTOCOL'],
    ['a name that is too long', json({ server_name: 'x'.repeat(129), tools: [] }), 'UPSTREAM_PROTOCOL'],
    ['no list', json({ server_name: 'x', tools: {} }), 'UPSTREAM_PROTOCOL'],
    [
      'a key that is a trap',
      (_path: string, response: { end(text: string): void }) =>
        response.end('{"server_name":"x","tools":[{"__proto__":{}}]}'),
      'UPSTREAM_PROTOCOL',
    ],
    [
      'too deep a nest',
      (_path: string, response: { end(text: string): void }) => response.end('['.repeat(100_000)),
      'UPSTREAM_PROTOCOL',
    ],
    ['401', json({ detail: 'x' }, 401), 'UPSTREAM_AUTH'],
    ['404', json({}, 404), 'UPSTREAM_ERROR'],
    [
      'more than 16 MiB',
      (_path: string, response: { end(body: Buffer): void }) =>
        response.end(Buffer.alloc(16 * 1024 * 1024 + 1, ' ')),
      'RESPONSE_TOO_LARGE',
    ],
  ])('is refused where it is %s', async (_what, answer, code) => {
    server.discovery = undefined
    server.answer = answer
    expect((await failure(world.open({ url: server.url }))).code).toBe(code)
  })

  it.each([
    ['no object', 7, 'expected object'],
    ['no name', { ...echo, name: undefined }, 'name: '],
    ['an empty name', { ...echo, name: '' }, 'name: '],
    ['a name that is too long', { ...echo, name: 'x'.repeat(129) }, 'name: '],
    ['no input schema', { ...echo, input_schema: null }, "Tool 'mail:echo' has no input schema"],
    [
      'a schema that is none',
      { ...echo, input_schema: { type: 'objekt' } },
      'Invalid JSON Schema: input_schema: /type',
    ],
    ['a schema of a text', { ...echo, input_schema: { type: 'string' } }, 'describes no object'],
    [
      'an output schema that is none',
      { ...echo, output_schema: { required: 'x' } },
      'Invalid JSON Schema: output_schema: /required',
    ],
    [
      'a confirmation that is no boolean',
      { ...echo, requires_confirmation: 'no' },
      'requires_confirmation: ',
    ],
    ['permissions that are no texts', { ...echo, permissions: [1] }, 'permissions.0: '],
    ['a description of a megabyte', { ...echo, description: 'x'.repeat(1 << 20) }, 'it has more than'],
  ])('leaves out a tool with %s, and no other', async (_what, bad, why) => {
    offer(bad, { ...echo, name: 'good' })
    const connection = await world.open({ url: server.url })
    expect(names(connection)).toEqual(['good'])
    expect(logged('tool.left-out')).toMatchObject([{ level: 'warn', why: expect.stringContaining(why) }])
  })

  it('S13: reaches the log with what is hidden in it spelt out', async () => {
    offer({ ...echo, name: 'e\u202evil', input_schema: null }, { ...echo, name: 'e\u200bcho' })
    const connection = await world.open({ url: server.url })
    offer({ ...echo, name: 'e\u200bcho', description: '' })
    await connection.refresh(signal)
    expect(logged('tool.left-out')).toMatchObject([{ tool: 'e<U+202E>vil' }])
    expect(logged('tool.drift')).toMatchObject([{ tool: 'e<U+200B>cho' }])
    expect(JSON.stringify(world.lines)).not.toMatch(/[\u200b\u202e]/)
  })

  it('has at most 10,000 tools, each name once, and a bounded say in the log', async () => {
    const tools = Array.from({ length: 10_030 }, (_, i) => ({ ...echo, name: `t${i % 9_960}` }))
    offer(...tools)
    const connection = await world.open({ url: server.url })
    expect(names(connection)).toHaveLength(9_960)
    expect(logged('tool.left-out')).toHaveLength(21)
    expect(logged('tool.left-out').at(-1)).toMatchObject({ left: 70 })
  })

  it('B-130, D4-010: every tool has an id, and what MCP does not know stands in `_meta`', async () => {
    const policies = { requires_confirmation: true, rate_limit: '10/hour', permissions: ['mail:send'] }
    offer(
      { ...echo, ...policies, output_schema: null, added: { later: 1 } },
      { ...echo, name: 'b', id: 'own' },
    )
    const connection = await world.open({ url: server.url })
    expect(toolsOf(connection).map(({ definition }) => definition?.['_meta'])).toEqual([
      { 'weir/definition': { id: 'mail:echo', category: 'general', ...policies, added: { later: 1 } } },
      { 'weir/definition': { id: 'own', category: 'general' } },
    ])
    expect(find(connection, 'echo').output).toBeUndefined()
  })
})

describe('check', () => {
  it('D4-012: asks where the server says, without the configured headers', async () => {
    server.discovery = { server_name: 'mail', tools: [], health_check_url: '/alive' }
    const connection = await world.open({ url: server.url, headers: { 'X-Key': 'k' } })
    await connection.check(signal)
    expect(server.seen.at(-1)).toMatchObject({ method: 'GET', path: '/alive' })
    expect(server.seen.at(-1)?.headers['x-key']).toBeUndefined()
    server.answer = json({}, 500)
    expect((await failure(connection.check(signal))).code).toBe('UPSTREAM_ERROR')
  })

  it.each([
    'http://169.254.169.254/',
    '//evil.example/',
    '/../admin',
    '/a?b',
    7,
  ])('asks /health rather than %s', async (url) => {
    server.discovery = { server_name: 'mail', tools: [], health_check_url: url }
    const connection = await world.open({ url: server.url })
    await connection.check(signal)
    expect(server.seen.at(-1)?.path).toBe('/health')
  })
})
