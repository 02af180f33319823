import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { embedWeir, type Weir } from '../../src/app.ts'
import { Place } from '../../src/cli/spawn-weir.fixture.ts'

interface SentSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly status: { readonly code?: number }
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[]
}

// A collector of the same protocol as every other one, and an API behind Weir; both keep what they get.
describe('calls as traces', () => {
  const place = new Place()
  const spans: SentSpan[] = []
  const bodies: string[] = []
  const apiHeaders: IncomingHttpHeaders[] = []
  let isCollectorWell = true
  const collector = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString()
    if (!isCollectorWell) return void response.writeHead(503).end()
    bodies.push(body)
    const { resourceSpans } = JSON.parse(body)
    for (const { scopeSpans } of resourceSpans) for (const scope of scopeSpans) spans.push(...scope.spans)
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
  const api = createServer((request, response) => {
    apiHeaders.push(request.headers)
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
  let weir: Weir
  let url = ''

  const listen = async (server: typeof api) => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  beforeAll(async () => {
    new DatabaseSync(join(place.dir, 'a.db')).exec('create table people (name text)')
    const baseUrl = await listen(api)
    weir = embedWeir({
      baseDir: place.dir,
      config: {
        log: { level: 'silent' },
        telemetry: { traces: { url: `${await listen(collector)}/v1/traces`, sample: 0 } },
        connections: {
          database: { type: 'sql', databases: { a: { url: 'sqlite:./a.db' } } },
          api: { type: 'http', apis: { service: { baseUrl, allowPrivate: true } } },
        },
      },
    })
    url = (await weir.listen({ port: 0 })).url
    await weir.catalog.settled(5_000)
    // What records is loaded beside the start; calls that come before are not recorded.
    while (spans.length === 0)
      await execute('api:http_request', { api_name: 'service', method: 'GET', url: '/' }, sampled)
    await new Promise((resolve) => setTimeout(resolve, 1_200))
  })
  beforeEach(() => {
    for (const list of [spans, bodies, apiHeaders]) list.length = 0
  })
  afterAll(async () => {
    await weir.close(0)
    for (const server of [collector, api]) server.close()
    await place[Symbol.asyncDispose]()
  })

  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const sampled = `00-${traceId}-b7ad6b7169203331-01`
  const post = async (path: string, body: object, headers: Readonly<Record<string, string>> = {}) => {
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
      body: JSON.stringify(body),
    })
    return answer.json()
  }
  const execute = (tool_slug: string, input: object, traceparent?: string) =>
    post(
      '/mcp/execute',
      { tools: [{ tool_slug, arguments: input }] },
      traceparent === undefined ? {} : { traceparent },
    )
  const query = { query: "select name from people where name = 'canary-7' and 42 < 43", database: 'a' }
  const attributesOf = ({ attributes }: SentSpan) =>
    Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
  const received = async (count: number) => {
    await expect.poll(() => spans.length, { timeout: 5_000 }).toBe(count)
    return spans.toSorted((a, b) => a.kind - b.kind)
  }

  it('D1-025, D1-064, B-37: one trace goes from the client by Weir to SQL, without a value of the statement', async () => {
    await execute('database:execute_query', query, sampled)
    const all = await received(3)
    expect(new Set(all.map((span) => span.traceId))).toEqual(new Set([traceId]))
    const server = all.find(({ kind }) => kind === 2)!
    const attempt = all.find(({ parentSpanId }) => parentSpanId === server.spanId)!
    const sql = all.find(({ parentSpanId }) => parentSpanId === attempt.spanId)!
    expect(server).toMatchObject({ name: 'tools/call execute_query', parentSpanId: 'b7ad6b7169203331' })
    expect(attributesOf(server)).toMatchObject({
      'mcp.method.name': 'tools/call',
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'execute_query',
      'weir.via': 'rest',
    })
    expect(attributesOf(sql)).toMatchObject({
      'db.system.name': 'sqlite',
      'db.query.text': 'select name from people where name = ? and ? < ?',
    })
    expect(bodies.join()).not.toContain('canary-7')
  })

  it('D1-020: an API behind Weir gets the trace, as the child of Weir’s own span', async () => {
    await execute('api:http_request', { api_name: 'service', method: 'GET', url: '/' }, sampled)
    const all = await received(2)
    const [header] = apiHeaders
    expect(header?.['traceparent']).toBe(`00-${traceId}-${all.find(({ kind }) => kind === 3)!.spanId}-01`)
  })

  it('what a client says in _meta counts before its header', async () => {
    const _meta = { traceparent: sampled }
    const params = { name: 'database__execute_query', arguments: query, _meta }
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params }
    await post('/mcp', call, { traceparent: sampled.replace(traceId, 'f'.repeat(32)) })
    expect((await received(3)).every((span) => span.traceId === traceId)).toBe(true)
  })

  it('a failure is one, by its code', async () => {
    await execute('database:execute_query', { query: 'select nothing', database: 'a' }, sampled)
    const failed = (await received(3)).map((span) => [span.status.code, attributesOf(span)['error.type']])
    expect(failed).toEqual([
      [2, 'SQL_ERROR'],
      [2, 'SQL_ERROR'],
      [2, 'SQL_ERROR'],
    ])
  })

  it('what nobody samples, and what no traceparent is, is not recorded, and goes on as it came', async () => {
    const call = { api_name: 'service', method: 'GET', url: '/' }
    const unsampled = sampled.replace(/01$/, '00')
    for (const parent of [undefined, unsampled, 'x', sampled.toUpperCase(), `${sampled}-1`])
      await execute('api:http_request', call, parent)
    expect(apiHeaders.map((headers) => headers['traceparent'])).toEqual([
      undefined,
      unsampled,
      undefined,
      undefined,
      undefined,
    ])
    await execute('api:http_request', call, sampled)
    await received(2)
  })

  it('a collector that is away costs no call, and gets what comes later', async () => {
    isCollectorWell = false
    for (let n = 0; n < 5; n += 1)
      expect(await execute('database:execute_query', query, sampled)).toMatchObject({ successful: true })
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    isCollectorWell = true
    await execute('database:execute_query', query, sampled)
    await expect.poll(() => spans.length, { timeout: 5_000 }).toBeGreaterThanOrEqual(3)
  })
})
