import { afterEach, describe, expect, it } from 'vitest'
import { type Served, serveDesk } from './desk.fixture.ts'

let served: Served
afterEach(() => served.weir.close(0))

const post = async (path: string, body: object, headers: Record<string, string> = {}) => {
  const response = await fetch(`${served.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  const limits = ['limit', 'remaining', 'reset'].map((name) => response.headers.get(`x-ratelimit-${name}`))
  const text = await response.text()
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    limits,
    body: JSON.parse(text),
  }
}
const run = (...slugs: string[]) => post('/mcp/execute', { tools: slugs.map((tool_slug) => ({ tool_slug })) })
const ping = () => post('/mcp', { jsonrpc: '2.0', id: 1, method: 'ping' })

describe('a limited tool over REST', () => {
  it('B-125, D4-022: is refused with 429, Retry-After and the body of a failed run', async () => {
    served = await serveDesk({ policies: { 'desk:say': { rateLimit: '2/hour' } } })
    expect(await run('desk:say')).toMatchObject({ status: 200, retryAfter: null, limits: ['2', '1', '1800'] })
    expect(await run('desk:say')).toMatchObject({ status: 200, limits: ['2', '0', '3600'] })
    const refused = await run('desk:say', 'back:say')
    expect(refused).toMatchObject({ status: 429, limits: ['2', '0', '3600'] })
    expect(Number(refused.retryAfter)).toBeGreaterThan(1_790)
    expect(Number(refused.retryAfter)).toBeLessThanOrEqual(1_800)
    expect(refused.body).toMatchObject({
      successful: false,
      error: 'desk:say is limited to 2/hour for you.',
      data: {
        results: [
          { successful: false, error_detail: { code: 'RATE_LIMITED', retryable: true, data: { limit: 2 } } },
          { error_detail: { code: 'NOT_RUN' } },
        ],
      },
    })
  })

  it('D4-014: stays 200 where a tool of the request had run before', async () => {
    served = await serveDesk({ policies: { 'desk:say': { rateLimit: '1/hour' } } })
    await run('desk:say')
    const { status, body } = await run('back:say', 'desk:say')
    expect(status).toBe(200)
    expect(body.data.results.map(({ successful }: { successful: boolean }) => successful)).toEqual([
      true,
      false,
    ])
  })

  it('D2-093: says how its caller stands also where the tool fails, and says the tightest of several', async () => {
    served = await serveDesk({
      policies: { 'desk:*': { rateLimit: '9/hour' }, 'desk:fail': { rateLimit: '5/hour' } },
    })
    expect((await run('desk:fail')).limits.slice(0, 2)).toEqual(['5', '4'])
    expect((await run('desk:say', 'desk:fail')).limits.slice(0, 2)).toEqual(['5', '3'])
    expect((await run('back:say')).limits).toEqual([null, null, null])
  })

  it('is an error result over MCP, whose status stays 200', async () => {
    served = await serveDesk({ policies: { 'desk:say': { rateLimit: '1/hour' } } })
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'desk__say', arguments: {} } }
    expect((await post('/mcp', call)).body.result.isError).toBeUndefined()
    const { status, body } = await post('/mcp', call)
    expect([status, body.result.isError]).toEqual([200, true])
    expect(body.result._meta['weir/error']).toMatchObject({ code: 'RATE_LIMITED', data: { remaining: 0 } })
  })
})

describe('D2-092: the door', () => {
  it('refuses every kind of request beyond the limit of its caller, unread', async () => {
    served = await serveDesk({ server: { port: 0, rateLimit: { limit: '1/hour', burst: 2 } } })
    expect((await ping()).status).toBe(200)
    expect((await run('back:say')).status).toBe(200)
    expect(await ping()).toMatchObject({
      status: 429,
      retryAfter: '3600',
      limits: ['2', '0', '7200'],
      body: {
        error: { message: 'Asking Weir is limited to 1/hour for you.', data: { weirCode: 'RATE_LIMITED' } },
      },
    })
    const refused = await served.post('this is no JSON')
    expect([refused.status, refused.body.error_detail.code]).toEqual([429, 'RATE_LIMITED'])
    expect((await served.send('/mcp/discover')).status).toBe(429)
    expect(served.desk.sent).toEqual([])
  })

  it('refuses everybody beyond the limit of all, before the body is read, and answers for its health', async () => {
    served = await serveDesk({ server: { port: 0, rateLimit: [{ limit: '1/hour', per: 'all' }] } })
    expect((await ping()).status).toBe(200)
    const large = { x: 'y'.repeat(5 * 1024 * 1024) }
    expect((await post('/mcp', large)).status).toBe(429)
    expect((await served.send('/nowhere')).status).toBe(429)
    for (const path of ['/health', '/livez', '/readyz']) expect((await served.send(path)).status).toBe(200)
    expect((await fetch(`${served.url}/metrics`)).status).toBe(200)
  })
})
