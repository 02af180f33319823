import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { embedWeir, type Weir } from '../../src/app.ts'
import { everything } from '../../src/core/caller.ts'
import { Cancellation } from '../../src/core/cancellation.ts'
import { WeirError } from '../../src/core/error.ts'
import type { Outcome } from '../../src/core/outcome.ts'

const ok = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{"ok":true}'
const busy = 'HTTP/1.1 503 Busy\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n'

/** An API over plain sockets, which answers each request as `answer` says, and counts those that arrive. */
async function openApi(port = 0) {
  const sockets = new Set<Socket>()
  const api = { hits: 0, answer: (socket: Socket, _hit: number, _text: string): unknown => socket.write(ok) }
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      api.hits += 1
      api.answer(socket, api.hits, chunk.toString('latin1'))
    })
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')
  const close = () => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  }
  return Object.assign(api, { port: (server.address() as AddressInfo).port, close })
}

let api: Awaited<ReturnType<typeof openApi>>
let weir: Weir
const retry = { attempts: 3, delay: '20ms' }

async function start(policy: Readonly<Record<string, unknown>> = {}) {
  const service = { baseUrl: `http://127.0.0.1:${api.port}`, allowPrivate: true, timeoutMs: 60_000 }
  weir = embedWeir({
    config: {
      log: { level: 'silent' },
      policies: { '*': { retry, breaker: false, ...policy } },
      connections: {
        any: { type: 'http', apis: { service: { ...service, methods: ['GET', 'POST'] } } },
        reads: {
          type: 'http',
          apis: {
            service: { ...service, methods: ['GET'] },
            other: { ...service, baseUrl: `${service.baseUrl}/other/`, methods: ['GET'] },
          },
        },
      },
    },
  })
  // Whether the connections are up is asked of the API as well.
  await weir.catalog.proven(5_000)
  api.hits = 0
}

beforeEach(async () => {
  api = await openApi()
})
afterEach(async () => {
  await weir.close(0)
  await api.close()
})

function call(
  connection: string,
  method = 'GET',
  url = '/',
  cancellation = new Cancellation(),
  api_name = 'service',
): Promise<Outcome> {
  return weir.executor.execute({
    id: 'call-1',
    entry: weir.catalog.find(`${connection}:http_request`)!,
    input: { api_name, method, url },
    caller: { subject: 'local:ada', tenant: 'default', grants: everything },
    cancellation,
    via: 'rest',
  })
}
const codeOf = (outcome: Outcome) => (outcome.kind === 'failed' ? outcome.error.code : outcome.kind)

describe('R3: a request that is answered by a reset', () => {
  it.each([
    ['before the first byte', ''],
    ['after the first byte', ok.slice(0, -5)],
  ])('%s arrives once where it may write, and again where it only reads', async (_, bytes) => {
    await start()
    api.answer = (socket) => socket.write(bytes, () => socket.resetAndDestroy())
    expect(codeOf(await call('any', 'POST'))).toBe('UPSTREAM_UNREACHABLE')
    expect(api.hits).toBe(1)
    expect(codeOf(await call('reads'))).toBe('UPSTREAM_UNREACHABLE')
    expect(api.hits).toBe(4)
  })

  it('is answered by the second attempt of a read, and nobody hears of the first', async () => {
    await start()
    api.answer = (socket, hit) => (hit === 1 ? socket.resetAndDestroy() : socket.write(ok))
    expect(await call('reads')).toMatchObject({
      kind: 'complete',
      result: { structuredContent: { data: { ok: true } } },
    })
    expect(api.hits).toBe(2)
  })

  it('that never was made is made again, though it writes: nothing had listened', async () => {
    await start({ retry: { attempts: 4, delay: '200ms' } })
    const { port } = api
    await api.close()
    const answer = call('any', 'POST')
    await new Promise((resolve) => setTimeout(resolve, 60))
    api = await openApi(port)
    expect(codeOf(await answer)).toBe('complete')
    expect(api.hits).toBe(1)
  })
})

it('B-72: a 503 is retried after the time that the API asks for', async () => {
  await start()
  api.answer = (socket, hit) => socket.write(hit === 1 ? busy : ok)
  const startMs = performance.now()
  expect(codeOf(await call('reads'))).toBe('complete')
  expect(performance.now() - startMs).toBeGreaterThan(990)
  expect(api.hits).toBe(2)
})

it('R8, D1-032, B-135: an API that answers 503 is left alone after five calls, and refused quickly', async () => {
  await start({ retry: false, breaker: {} })
  api.answer = (socket) => socket.write(busy)
  for (let i = 0; i < 5; i += 1) expect(codeOf(await call('reads'))).toBe('complete')
  const startMs = performance.now()
  expect(codeOf(await call('reads'))).toBe('CIRCUIT_OPEN')
  expect(performance.now() - startMs).toBeLessThan(5)
  expect(api.hits).toBe(5)
  // Another API of the same tool is not shut with it.
  expect(codeOf(await call('reads', 'GET', '', new Cancellation(), 'other'))).toBe('complete')
  expect(api.hits).toBe(6)
})

it('R10: 500 calls to a system that hangs do not slow those to another one', async () => {
  await start({ retry: false })
  let hanging = 0
  api.answer = (socket, _hit, text) => {
    if (text.startsWith('GET')) return socket.write(ok)
    hanging += 1
    return undefined
  }
  /** What nine of ten calls take that begin 50 ms apart, whether or not those before have ended. The last tenth is the machine's. */
  const measure = async () => {
    const times: Promise<number>[] = []
    for (let i = 0; i < 60; i += 1) {
      const startMs = performance.now()
      const answer = call('reads').then((outcome) => {
        expect(codeOf(outcome)).toBe('complete')
        return performance.now() - startMs
      })
      times.push(answer)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return (await Promise.all(times)).sort((a, b) => a - b)[53]!
  }
  await measure()
  const aloneMs = await measure()
  const cancellations = Array.from({ length: 500 }, () => new Cancellation())
  const hung = cancellations.map((each) => call('any', 'POST', '/', each))
  const besideMs = await measure()
  // Two cores that others use as well: an event loop that waits for 500 calls would take far longer than that.
  expect(besideMs).toBeLessThan(aloneMs * 1.1 + 15)
  // The API's own pool holds fewer sockets than calls may run.
  expect(hanging).toBeGreaterThan(20)
  expect(hanging).toBeLessThanOrEqual(64)
  for (const each of cancellations) each.cancel(new WeirError('CANCELLED', 'left'))
  const codes = (await Promise.all(hung)).map(codeOf)
  expect(codes.filter((code) => code === 'OVERLOADED')).toHaveLength(500 - 64 - 256)
}, 20_000)

describe('C-26: an answer that stands in for a tool’s own', () => {
  const value = { status_code: 200, headers: {}, data: { from_fallback: true }, success: true }
  const reason = 'The API answered with status 503.'
  const input = { api_name: 'service', method: 'GET', url: '/' }
  const post = async (url: string, body: object) => {
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
    return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).json()
  }

  it('D2-051: says so over MCP and REST', async () => {
    await start({ retry: false, fallback: { value } })
    api.answer = (socket) => socket.write(busy)
    const { url } = await weir.listen({ port: 0 })
    const called = (await post(`${url}/mcp`, {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'reads__http_request', arguments: input },
    })) as { result: object }
    expect(called.result).toMatchObject({
      structuredContent: value,
      _meta: { 'weir/degraded': { reason, code: 'UPSTREAM_FAILED', retryAfterMs: 1_000 } },
    })
    expect(called.result).not.toHaveProperty('isError', true)
    const executed = (await post(`${url}/mcp/execute`, {
      tools: [{ tool_slug: 'reads:http_request', arguments: input }],
    })) as { data: { results: object[] } }
    expect(executed.data.results).toEqual([
      {
        tool_slug: 'reads:http_request',
        successful: true,
        response: value,
        degraded: true,
        degraded_reason: reason,
      },
    ])
  })
})
