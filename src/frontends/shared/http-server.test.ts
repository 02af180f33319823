import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentLogger } from '../../core/logger.ts'
import { type Gateway, startGateway } from '../mcp/gateway.fixture.ts'
import { bodyBytesMax, createHttpServer } from './http-server.ts'

interface Route {
  readonly method: string
  readonly path: string
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly text: string
}

/** Every route the running product has, as its HTTP framework knows them: a new one is held to these promises too. */
const routes: Route[] = []
let gateway: Gateway
let token = ''
const folder = mkdtempSync(join(tmpdir(), 'weir-http-'))

function collectRoutes(message: unknown): void {
  const { fastify } = message as { fastify: FastifyInstance }
  fastify.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) routes.push({ method: one, path: url.replace(':name', 'probe') })
  })
}

beforeAll(async () => {
  subscribe('fastify.initialization', collectRoutes)
  gateway = await startGateway({ store: { url: `sqlite:${folder}/weir.db` } })
  // Whoever operates Weir is known by a token; the first who asks makes it.
  await ask({ method: 'GET', path: '/api/admin/approvals' }, { authorization: 'Bearer x' })
  token = readFileSync(join(folder, 'operator-token'), 'utf8').trim()
  unsubscribe('fastify.initialization', collectRoutes)
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

/** One request; a broken connection after the answer has come is no matter. */
async function ask(
  { method, path }: Route,
  headers: Readonly<Record<string, string>>,
  body?: string | Buffer,
): Promise<Answer> {
  const sent = request(new URL(path, gateway.url), {
    method,
    headers: path.startsWith('/api/admin/') ? { authorization: `Bearer ${token}`, ...headers } : headers,
    agent: false,
    setHost: !('host' in headers),
  })
  sent.on('error', () => {})
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  let text = ''
  response.setEncoding('utf8')
  response.on('error', () => {})
  response.on('data', (chunk: string) => {
    text += chunk
  })
  if (response.headers['content-type'] !== 'text/event-stream') await once(response, 'close')
  else sent.destroy()
  return { status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text }
}

const json = 'application/json'
const unknown: readonly Route[] = [
  { method: 'GET', path: '/none' },
  { method: 'POST', path: '/none' },
  { method: 'OPTIONS', path: '/mcp' },
  { method: 'PUT', path: '/mcp' },
]

describe('every route', () => {
  it('is in the list that the next tests go through', () => {
    expect(routes).toContainEqual({ method: 'POST', path: '/mcp' })
    expect(routes).toContainEqual({ method: 'POST', path: '/mcp/execute' })
    expect(routes).toContainEqual({ method: 'GET', path: '/metrics' })
    expect(routes.length).toBeGreaterThan(10)
  })

  it('S7: refuses a foreign Host and a foreign Origin, and lets our own and none through', async () => {
    const own = gateway.url.host
    const port = gateway.url.port
    const table: readonly [number | undefined, Readonly<Record<string, string>>][] = [
      [403, { host: 'evil.example' }],
      [403, { host: `evil.example:${port}` }],
      [403, { host: `localhost.evil.example:${port}` }],
      [403, { host: `127.0.0.1.evil.example:${port}` }],
      [403, { host: `user@127.0.0.1:${port}` }],
      [403, { host: `0x7f000001:${port}` }],
      [403, { host: own, origin: 'http://evil.example' }],
      [403, { host: own, origin: 'null' }],
      [403, { host: own, origin: `http://localhost.evil.example:${port}` }],
      [403, { host: own, origin: 'http://127.0.0.1:1' }],
      [403, { host: 'evil.example', origin: 'http://evil.example' }],
      [undefined, { host: own }],
      [undefined, { host: `localhost:${port}` }],
      [undefined, { host: `[::1]:${port}` }],
      [undefined, { host: own, origin: `http://${own}` }],
    ]
    for (const route of [...routes, ...unknown]) {
      for (const [expected, headers] of table) {
        const { status, text } = await ask(route, headers)
        const what = `${route.method} ${route.path} ${JSON.stringify(headers)}`
        if (expected === undefined) expect(status, what).not.toBe(403)
        else expect([what, status]).toEqual([what, expected])
        if (status === 403 && route.method !== 'HEAD') expect(() => JSON.parse(text), what).not.toThrow()
      }
    }
  })

  it('S7: refuses a request of HTTP/1.0 that names no Host', async () => {
    const text = await speak(Number(gateway.url.port), 'GET /health HTTP/1.0\r\n\r\n')
    expect(text).toMatch(/^HTTP\/1\.1 403 /)
  })

  it('S7: answers in JSON where there is no such route, path or method', async () => {
    for (const path of [
      '/none',
      '/mcp/none',
      '/mcp/%zz',
      `/mcp/${'x'.repeat(500)}`,
      '/console',
      '/mcp/../x',
    ]) {
      const { status, type, text } = await ask({ method: 'GET', path }, {})
      expect([path, status >= 400 && status < 500, type.startsWith(json)]).toEqual([path, true, true])
      const { error } = JSON.parse(text)
      expect([path, typeof error.message]).toEqual([path, 'string'])
      expect(text).not.toMatch(/<|FST_/)
    }
  })
})

describe('R20: a body on every POST route', () => {
  const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
  const table: readonly [string, number, string | Buffer | undefined, Readonly<Record<string, string>>][] = [
    ['4 MiB and 1', 413, `"${'x'.repeat(bodyBytesMax - 1)}"`, {}],
    ['65 levels', 400, deep(65), {}],
    ['10⁴ levels', 400, deep(10_000), {}],
    ['10⁶ levels', 400, '['.repeat(1_000_000), {}],
    ['100,001 elements', 400, `[${'0,'.repeat(100_000)}0]`, {}],
    ['another type', 415, '{}', { 'content-type': 'text/plain' }],
    ['a form', 415, 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['no type', 415, '{}', { 'content-type': '' }],
    ['gzip', 415, gzipSync('{}'), { 'content-encoding': 'gzip' }],
    ['no JSON', 400, '{"a":', {}],
    ['nothing', 400, '', {}],
    ['nothing, of no type', 400, undefined, { 'content-type': '' }],
    ['NUL bytes', 400, '\0\0', {}],
    ['no UTF-8', 400, Buffer.from([0x22, 0xff, 0xfe]), {}],
    ['__proto__', 400, '{"__proto__":{"x":1}}', {}],
    ['__proto__ in disguise', 400, '{"\\u005f_proto__":1}', {}],
    ['a constructor with a prototype', 400, '{"a":{"constructor":{"prototype":{}}}}', {}],
    ['null', 400, 'null', {}],
    ['a number', 400, '1', {}],
  ]
  it.each(table)('R20: of %s is a %i in JSON', async (_what, expected, body, more) => {
    const headers = Object.fromEntries(
      Object.entries({ 'content-type': json, ...more }).filter(([, value]) => value !== ''),
    )
    // A decision needs no body: without one it is about an approval that does not exist.
    const isEmpty = body === undefined || body === ''
    const posts = routes.filter(
      ({ method, path }) => method === 'POST' && !(isEmpty && path.startsWith('/api/admin/')),
    )
    expect(posts.length).toBeGreaterThan(isEmpty ? 2 : 4)
    for (const route of posts) {
      const { status, type, text } = await ask(route, headers, body)
      expect([route.path, status, type.startsWith(json)]).toEqual([route.path, expected, true])
      expect(JSON.parse(text)).toBeTypeOf('object')
      expect(text).not.toMatch(/<html|node_modules|\.ts:/)
    }
  })

  it('R20: of 4 MiB exactly, with 64 levels, is read', async () => {
    const start = '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":'
    const nested = `${'['.repeat(62)}${']'.repeat(62)}`
    const body = `${start}${nested},"b":"${'x'.repeat(bodyBytesMax - start.length - nested.length - 9)}"}}`
    expect(Buffer.byteLength(body)).toBe(bodyBytesMax)
    const { status, text } = await ask({ method: 'POST', path: '/mcp' }, { 'content-type': json }, body)
    expect([status, text]).toEqual([200, '{"jsonrpc":"2.0","id":1,"result":{}}'])
  })

  it('S18: leaves no trace on the prototype of objects', () => {
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false)
  })
})

describe('R19: a client that drips', () => {
  const slow = { headersMs: 300, requestMs: 600, checkEveryMs: 50 }
  let server: FastifyInstance
  let port = 0
  beforeAll(async () => {
    server = createHttpServer({ allowedHosts: [], allowedOrigins: [] }, silentLogger, { slow })
    server.post('/echo', (sent) => ({ length: (sent.body as string).length }))
    await server.listen({ host: '127.0.0.1', port: 0 })
    port = (server.server.address() as AddressInfo).port
  })
  afterAll(() => server.close())

  const start = 'POST /echo HTTP/1.1\r\nHost: localhost\r\n'
  const ready = `${start}Content-Type: application/json\r\nContent-Length: 9000\r\n\r\n`
  it.each([
    ['its headers', start, slow.headersMs],
    ['its body', ready, slow.requestMs],
  ])('R19: %s is cut off, and the others are served meanwhile', async (_what, opening, limitMs) => {
    const beganAt = performance.now()
    const dripping = Array.from({ length: 200 }, () => drip(port, opening))
    const served = await fetch(`http://127.0.0.1:${port}/echo`, {
      method: 'POST',
      headers: { 'content-type': json },
      body: '{}',
    })
    expect(await served.json()).toEqual({ length: 2 })
    const endings = await Promise.all(dripping)
    const tookMs = performance.now() - beganAt
    expect(tookMs).toBeGreaterThan(limitMs - 10)
    expect(tookMs).toBeLessThan(limitMs + 2_000)
    for (const text of endings) expect(text).toMatch(/^HTTP\/1\.1 408 /)
  })

  it('R19: is given 10 s for headers and 30 s for the request in the product', () => {
    const { server: own } = createHttpServer({ allowedHosts: [], allowedOrigins: [] }, silentLogger)
    expect([own.headersTimeout, own.requestTimeout]).toEqual([10_000, 30_000])
  })
})

/** Sends one byte now and then until it is cut off; resolves with what was answered. */
async function drip(port: number, opening: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(opening)
  const dripping = setInterval(() => socket.write('x'), 100)
  try {
    return await readAll(socket)
  } finally {
    clearInterval(dripping)
  }
}

async function speak(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(text)
  return readAll(socket)
}

function readAll(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
  })
}
