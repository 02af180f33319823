import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { FakeMcpServerOptions } from '../../testing/fake-mcp-server.ts'
import { failure, useUpstreams } from './fixtures/upstream.fixture.ts'

const { start, connect } = useUpstreams()

describe.each(['modern', 'legacy'] as const)('a %s server', (era) => {
  it.each([401, 403])('that asks for a credential by status %i is UPSTREAM_AUTH', async (status) => {
    const refuse = (_: unknown, response: ServerResponse) => response.writeHead(status).end() !== undefined
    const server = await start({ era, intercept: refuse })
    expect((await failure(connect(server.url, { era }))).code).toBe('UPSTREAM_AUTH')
    expect((await failure(connect(server.url))).code).toBe('UPSTREAM_AUTH')
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
    expect((await failure(upstream.call('echo'))).code).toBe('RESPONSE_TOO_LARGE')
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
})

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
