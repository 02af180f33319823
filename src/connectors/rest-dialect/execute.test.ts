import { createServer } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Connection } from '../../core/connector.ts'
import { WeirError } from '../../core/error.ts'
import {
  createWorld,
  type DialectServer,
  echo,
  failure,
  find,
  json,
  run,
  startDialectServer,
} from './dialect-server.fixture.ts'

let world: ReturnType<typeof createWorld>
let server: DialectServer
let connection: Connection
beforeEach(async () => {
  world = createWorld()
  server = await startDialectServer()
  const output_schema = { type: 'object', required: ['n'] }
  server.discovery = { server_name: 'mail', tools: [echo, { ...echo, name: 'count', output_schema }] }
  connection = await world.open({ url: `${server.url}`, headers: { Authorization: 'Bearer t' } })
})
afterEach(async () => {
  await world.close()
  server.close()
})

const answer = (item: Record<string, unknown>, more: Record<string, unknown> = {}) => {
  server.answer = json({ request_id: 'r', successful: true, data: { results: [item] }, ...more })
}

describe('D4-013, D4-014: a call', () => {
  it('B-124: is one POST with the tool’s name, its arguments and an id', async () => {
    answer({ tool_slug: 'echo', response: { said: 'a' } })
    expect(await run(connection, 'echo', { text: 'a' })).toEqual({ structuredContent: { said: 'a' } })
    const { method, path, headers, body } = server.seen.at(-1)!
    expect([method, path, headers.authorization]).toEqual(['POST', '/mcp/execute', 'Bearer t'])
    expect(JSON.parse(body)).toEqual({
      tools: [{ tool_slug: 'echo', arguments: { text: 'a' } }],
      request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
  })

  it.each([
    ['data', { n: 1 }, { structuredContent: { n: 1 } }],
    ['a list', [1], { structuredContent: [1] }],
    ['a number', 0, { structuredContent: 0 }],
    ['a text', 'hi', { content: [{ type: 'text', text: 'hi' }] }],
    ['nothing', null, { content: [] }],
    ['content', { content: [{ type: 'text', text: 'x' }] }, { content: [{ type: 'text', text: 'x' }] }],
    ['data that has content', { content: [1] }, { structuredContent: { content: [1] } }],
    ['data beside content', { content: [], n: 1 }, { structuredContent: { content: [], n: 1 } }],
  ])('gives back %s', async (_what, response, result) => {
    answer({ tool_slug: 'echo', response })
    expect(await run(connection, 'echo')).toEqual(result)
  })

  it('gives data to a tool that promised its shape, so that the promise is checked', async () => {
    answer({ tool_slug: 'count', response: 'three' })
    expect(await run(connection, 'count')).toEqual({ structuredContent: 'three' })
    expect(find(connection, 'count').output).toBeDefined()
  })
})

describe('D4-015: a tool that fails', () => {
  it.each([
    [
      'as the document has it',
      { successful: false, error: "Tool 'echo' not found" },
      "Tool 'echo' not found",
    ],
    ['with data of null', { successful: false, data: null, error: 'no' }, 'no'],
    ['without a word', { successful: false, error: null }, 'The tool failed, and did not say why.'],
    [
      'B-123: in its own item',
      { successful: true, data: { results: [{ tool_slug: 'echo', successful: false, error: 'no' }] } },
      'no',
    ],
    ['in too many words', { successful: false, error: 'x'.repeat(5_000) }, `${'x'.repeat(3_999)}…`],
  ])('is a result with isError: %s', async (_how, body, text) => {
    server.answer = json({ request_id: 'unknown', ...body })
    expect(await run(connection, 'echo')).toEqual({ isError: true, content: [{ type: 'text', text }] })
  })

  it('keeps its data, and the typed error of another Weir', async () => {
    const item = {
      tool_slug: 'echo',
      successful: false,
      response: { at: 1 },
      error: 'no',
      error_detail: { code: 'SQL_ERROR' },
    }
    answer(item, { successful: false, error: 'no' })
    expect(await run(connection, 'echo')).toEqual({
      isError: true,
      content: [{ type: 'text', text: 'no' }],
      structuredContent: { at: 1 },
      _meta: { 'weir/error': { code: 'SQL_ERROR' } },
    })
  })
})

describe('a server that answers otherwise', () => {
  it.each([
    [
      401,
      { detail: 'Token expired' },
      'UPSTREAM_AUTH',
      'The server answered with HTTP status 401: Token expired',
    ],
    [403, {}, 'UPSTREAM_AUTH', 'The server answered with HTTP status 403.'],
    [422, { detail: [{ loc: ['body'] }] }, 'UPSTREAM_ERROR', '422: [{"loc":["body"]}]'],
    [500, { error: 'x'.repeat(2_000) }, 'UPSTREAM_ERROR', `${'x'.repeat(999)}…`],
    [503, { successful: false, error: 'busy' }, 'UPSTREAM_UNREACHABLE', '503: busy'],
  ])('with status %i', async (status, body, code, message) => {
    server.answer = json(body, status)
    const error = await failure(run(connection, 'echo'))
    expect(error).toBeInstanceOf(WeirError)
    expect([error.code, error.data]).toEqual([code, { status, sent: true }])
    expect(error.message).toContain(message)
  })

  it.each([
    ['no JSON', '<html>'],
    ['no object', '[]'],
    ['not whether it was successful', '{"data":{}}'],
    ['success without a result', '{"successful":true,"data":{"results":[]}}'],
    ['success for another tool', '{"successful":true,"data":{"results":[{"tool_slug":"pay","response":1}]}}'],
    ['a key that is a trap', '{"successful":true,"data":{"results":[{"__proto__":{}}]}}'],
    ['a nest without end', '['.repeat(1_000)],
  ])('with %s', async (_what, text) => {
    server.answer = (_path, response) => void response.end(text)
    expect((await failure(run(connection, 'echo'))).code).toBe('UPSTREAM_PROTOCOL')
  })

  it('R22: with more than 16 MiB', async () => {
    server.answer = (_path, response) => void response.end(Buffer.alloc(16 * 1024 * 1024 + 1, ' '))
    expect((await failure(run(connection, 'echo'))).code).toBe('RESPONSE_TOO_LARGE')
  })

  it('with an error page', async () => {
    server.answer = (_path, response) => void response.writeHead(502).end('<html>')
    expect((await failure(run(connection, 'echo'))).code).toBe('UPSTREAM_UNREACHABLE')
  })

  it('with nothing: the call ends in time, and when its caller leaves', async () => {
    server.answer = () => {}
    const hasty = await world.open({ url: server.url, timeout: 50 })
    expect((await failure(run(hasty, 'echo'))).code).toBe('UPSTREAM_TIMEOUT')
    expect(find(hasty, 'echo').timeoutMs).toBe(50)
    const reason = new WeirError('CANCELLED', 'The caller left.')
    expect(await failure(run(connection, 'echo', {}, AbortSignal.abort(reason)))).toBe(reason)
  })

  it('S10: with a redirect to another host, which the credential does not follow', async () => {
    const hits: string[] = []
    const canary = createServer((request, response) => {
      hits.push(request.url ?? '')
      response.end('{}')
    })
    await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve))
    const { port } = canary.address() as { port: number }
    server.answer = (_path, response) =>
      void response.writeHead(307, { location: `http://127.0.0.1:${port}/mcp/execute` }).end()
    expect((await failure(run(connection, 'echo'))).code).toBe('TOO_MANY_REDIRECTS')
    expect(hits).toEqual([])
    canary.close()
  })
})

it('S10: reaches no private address unless the configuration says so', async () => {
  const refused = await failure(world.open({ url: server.url, allowPrivate: false }))
  expect(refused.code).toBe('ADDRESS_NOT_ALLOWED')
})
