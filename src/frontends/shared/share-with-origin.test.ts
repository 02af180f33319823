import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Gateway, modernRequest, startGateway } from '../mcp/gateway.fixture.ts'

const origin = 'https://app.example'
let gateway: Gateway

beforeAll(async () => {
  gateway = await startGateway({ server: { allowedOrigins: [origin] } })
})
afterAll(() => gateway[Symbol.asyncDispose]())

const asks = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'mcp-method,x-any' }

describe('a page of a listed origin', () => {
  it.each([
    '/mcp',
    '/mcp/execute',
    '/mcp/probe',
  ])('is told by the preflight that it may call %s', async (path) => {
    const { status, headers, text } = await gateway.send({
      method: 'OPTIONS',
      path,
      headers: { origin, ...asks },
    })
    expect([status, text]).toEqual([204, ''])
    expect(headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET, POST, DELETE',
      'access-control-allow-headers': 'mcp-method,x-any',
      vary: 'origin',
    })
  })

  it('may read a plain answer, a refusal and an event stream', async () => {
    const ok = await gateway.modern('tools/list', {}, { headers: { origin } })
    const refused = await gateway.send({ headers: { origin }, body: 'no json' })
    const params = { name: 'probe__progress', arguments: { steps: 1 } }
    const token = {
      _meta: { ...(modernRequest('x').body as { params: { _meta: object } }).params._meta, progressToken: 1 },
    }
    const streamed = await gateway.modern('tools/call', { ...params, ...token }, { headers: { origin } })
    expect(streamed.headers['content-type']).toBe('text/event-stream')
    expect([ok.status, refused.status, streamed.status]).toEqual([200, 400, 200])
    for (const { headers } of [ok, refused, streamed]) {
      expect(headers['access-control-allow-origin']).toBe(origin)
      expect(headers['access-control-expose-headers']).toContain('mcp-session-id')
    }
  })
})

describe('S7: any other page', () => {
  it.each([
    'https://evil.example',
    'null',
    `${origin}.evil.example`,
  ])('of %s is refused, preflight and call', async (evil) => {
    const preflight = await gateway.send({
      method: 'OPTIONS',
      path: '/mcp',
      headers: { origin: evil, ...asks },
    })
    const call = await gateway.modern(
      'tools/call',
      { name: 'probe__remove', arguments: {} },
      { headers: { origin: evil } },
    )
    for (const { status, headers } of [preflight, call]) {
      expect(status).toBe(403)
      expect(headers).not.toHaveProperty('access-control-allow-origin')
    }
    expect(gateway.probe.seen).not.toContain('remove')
  })

  it('that has no origin is told nothing of sharing', async () => {
    const { headers } = await gateway.modern('tools/list')
    expect(headers).not.toHaveProperty('access-control-allow-origin')
  })
})
