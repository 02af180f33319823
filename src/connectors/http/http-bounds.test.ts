import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Connection } from '../../core/connector.ts'
import { callApi, createWorld, failure, type RealServer } from './http.fixture.ts'

const bearer = 'S3cret-Bearer-Token'

let world: Awaited<ReturnType<typeof createWorld>>
let upstream: RealServer
let connection: Connection
beforeEach(async () => {
  world = await createWorld()
  upstream = world.upstream
  connection = await world.open({
    crm: { baseUrl: `${upstream.origin}/v1`, allowPrivate: true, auth: { bearer } },
  })
})
afterEach(() => world.close())

const call = (input: Record<string, unknown>) => callApi(connection, input)

describe('D0-031: the pool of an API', () => {
  it('holds 30 sockets at most, uses them again, and lets the rest wait', async () => {
    let open = 0
    let most = 0
    const waiting: (() => void)[] = []
    upstream.answer = (_request, response) => {
      open += 1
      most = Math.max(most, open)
      waiting.push(() => {
        open -= 1
        response.end('{}')
      })
    }
    const calls = Array.from({ length: 40 }, () => call({ url: 'x' }))
    await expect.poll(() => waiting.length).toBe(30)
    while (upstream.seen.length < 40 || waiting.length > 0) {
      waiting.shift()?.()
      await new Promise(setImmediate)
    }
    expect((await Promise.all(calls)).every(({ success }) => success)).toBe(true)
    expect([most, upstream.connections <= 31]).toEqual([30, true])
  })

  it('B-49: a socket that breaks under one request leaves the others theirs, and the next has a new one', async () => {
    const waiting: (() => void)[] = []
    upstream.answer = (request, response) => {
      if (request.url === '/v1/broken') request.socket.destroy()
      else waiting.push(() => response.end('{}'))
    }
    const others = Array.from({ length: 5 }, () => call({ url: 'x' }))
    await expect.poll(() => waiting.length).toBe(5)
    const error = await failure(call({ url: 'broken' }))
    expect([error.code, error.data?.['sent']]).toEqual(['UPSTREAM_UNREACHABLE', true])
    for (const answer of waiting) answer()
    expect((await Promise.all(others)).every(({ success }) => success)).toBe(true)
    expect(upstream.connections).toBe(6)
    upstream.answer = (_request, response) => response.end('{}')
    expect((await call({ url: 'x' })).success).toBe(true)
    expect(upstream.connections).toBeLessThanOrEqual(7)
  })

  it('B-49: is its own: a second API of the same origin shares neither sockets nor credentials', async () => {
    const api = { baseUrl: upstream.origin, allowPrivate: true }
    connection = await world.open({ crm: api, other: { ...api, auth: { bearer } } })
    await call({ url: 'x' })
    await call({ url: 'x', api_name: 'other' })
    expect(upstream.connections).toBe(2)
    expect(upstream.seen.map(({ request }) => request.headers.authorization)).toEqual([
      undefined,
      `Bearer ${bearer}`,
    ])
  })
})

describe('what comes back', () => {
  it('B-12: cookies, credentials and headers of the connection stay behind; the rest is redacted', async () => {
    upstream.answer = (_request, response) => {
      response.setHeader('set-cookie', ['a=b', 'c=d'])
      response.setHeader('x-session-token', 'fresh')
      response.setHeader('x-api-key', 'fresh')
      response.setHeader('www-authenticate', 'Bearer realm=x')
      response.setHeader('x-echo', `you sent Bearer ${bearer}`)
      response.setHeader('link', ['<a>', '<b>'])
      response.end()
    }
    const { headers } = await call({ url: 'x' })
    expect(Object.keys(headers).sort()).toEqual(['content-length', 'date', 'link', 'x-echo'])
    expect(headers).toMatchObject({ link: '<a>, <b>', 'x-echo': 'you sent Bearer [redacted]' })
  })

  it.each([
    ['text', 'text/plain', (secret: string) => `a ${secret} b ${encodeURIComponent(secret)}`],
    ['JSON values and keys', 'application/json', (secret: string) => JSON.stringify({ [secret]: [secret] })],
    [
      'JSON with escapes',
      'application/json',
      (secret: string) =>
        `["${[...secret].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"]`,
    ],
    ['broken JSON', 'application/json', (secret: string) => `{"a":${JSON.stringify(secret)}`],
    ['base64', 'text/plain', (secret: string) => Buffer.from(secret).toString('base64')],
    ['bytes', 'image/png', (secret: string) => Buffer.concat([Buffer.from([0xff]), Buffer.from(secret)])],
  ])('B-12: a credential that the API echoes in %s is redacted', async (_where, type, body) => {
    for (const secret of ['S3cret-Token', 'a"b\\c/d e+f', '123456789']) {
      connection = await world.open({
        crm: { baseUrl: upstream.origin, allowPrivate: true, auth: { apiKey: secret } },
      })
      upstream.answer = (_request, response) =>
        response.writeHead(200, { 'content-type': type }).end(body(secret))
      const { data } = await call({ url: 'x' })
      const bytes = (data as { raw_base64?: string }).raw_base64
      const seen =
        bytes === undefined ? JSON.stringify(data) : Buffer.from(bytes, 'base64').toString('latin1')
      for (const form of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]) {
        expect(seen).not.toContain(form)
      }
      expect(seen).toMatch(/\[redacted\]|\*{8}/)
    }
  })

  it('B-12: basic credentials and secret headers are redacted too', async () => {
    connection = await world.open({
      crm: {
        baseUrl: upstream.origin,
        allowPrivate: true,
        auth: { basic: { user: 'ada', password: 'p4ssword' } },
        headers: { 'X-Tenant-Secret': 'tenant-s3cret' },
      },
    })
    upstream.answer = (request, response) => response.end(`${JSON.stringify(request.headers)} p4ssword`)
    const text = JSON.stringify(await call({ url: 'x' }))
    for (const secret of ['p4ssword', 'tenant-s3cret', Buffer.from('ada:p4ssword').toString('base64')]) {
      expect(text).not.toContain(secret)
    }
  })

  it.each([
    ['plain', Buffer.alloc(3_000, 'a'), {}],
    ['unfolding', gzipSync(Buffer.alloc(3_000, 'a')), { 'content-encoding': 'gzip' }],
  ])('B-12: an answer over the cap is refused, and the hint says how to get it (%s)', async (_how, body, headers) => {
    connection = await world.open({
      crm: { baseUrl: upstream.origin, allowPrivate: true, responseBytesMax: 2_000 },
    })
    upstream.answer = (_request, response) => response.writeHead(200, headers).end(body)
    const error = await failure(call({ url: 'x' }))
    expect([error.code, error.data?.['responseBytesMax']]).toEqual(['RESPONSE_TOO_LARGE', 2_000])
    expect(error.hint).toContain('`apis.crm.responseBytesMax`')
  })
})

describe('check', () => {
  const { signal } = new AbortController()

  it('takes any answer for life, and sends no credential', async () => {
    upstream.answer = (_request, response) => response.writeHead(500).end()
    await connection.check(signal)
    expect(upstream.seen[0]?.request.method).toBe('HEAD')
    expect(upstream.seen[0]?.request.headers.authorization).toBeUndefined()
  })

  it('names the API that does not answer', async () => {
    connection = await world.open({
      up: { baseUrl: upstream.origin, allowPrivate: true },
      down: { baseUrl: 'http://127.0.0.1:1', allowPrivate: true },
    })
    const error = await failure(connection.check(signal))
    expect(error.message).toMatch(/^API down: /)
    expect([error.code, error.data?.['api_name']]).toEqual(['UPSTREAM_UNREACHABLE', 'down'])
  })

  it('stops when told to, and close is safe to call twice', async () => {
    expect((await failure(connection.check(AbortSignal.abort()))).code).toBe('CANCELLED')
    await connection.close()
    await connection.close()
    expect((await failure(call({ url: 'x' }))).code).toBe('CONNECTION_UNAVAILABLE')
  })
})

describe('configuration', () => {
  it.each([
    ['baseUrl', { baseUrl: 'ftp://x' }],
    ['baseUrl', { baseUrl: 'http://u:p@x/' }],
    ['baseUrl', { baseUrl: 'http://x/?q' }],
    ['baseURL', { baseUrl: 'http://x', baseURL: 'http://x' }],
    ['auth', { baseUrl: 'http://x', auth: { bearer: 'a', apiKey: 'b' } }],
    ['auth', { baseUrl: 'http://x', auth: { bearer: '' } }],
    ['auth', { baseUrl: 'http://x', auth: { bearer: 'a\r\nx: y' } }],
    ['auth', { baseUrl: 'http://x', auth: { apiKey: 'k', header: 'Host' } }],
    ['headers', { baseUrl: 'http://x', headers: { 'a b': 'c' } }],
    ['headers', { baseUrl: 'http://x', headers: { 'Transfer-Encoding': 'chunked' } }],
    ['methods', { baseUrl: 'http://x', methods: ['TRACE'] }],
    ['timeoutMs', { baseUrl: 'http://x', timeoutMs: 0 }],
  ])('names the field: %s', (field, api) => {
    expect(() => world.connector.config.parse({ apis: { crm: api } })).toThrow(field)
  })

  it('refuses no API at all, and a bad allowPrivate entry when it opens', async () => {
    expect(() => world.connector.config.parse({ apis: {} })).toThrow('apis')
    const error = await failure(world.open({ crm: { baseUrl: 'http://x', allowPrivate: ['*.x'] } }))
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toContain('apis.crm.allowPrivate')
  })

  it('C-07, C-08: has D0’s limits where it says none', () => {
    const { apis } = world.connector.config.parse({ apis: { crm: { baseUrl: 'http://x' } } })
    expect(apis['crm']).toMatchObject({ timeoutMs: 30_000, pool: 'standard', batchConcurrency: 10 })
  })

  it('a longer API timeout becomes the tool’s own', async () => {
    connection = await world.open({ crm: { baseUrl: 'http://x', timeoutMs: 60_000 } })
    expect(connection.targets()[0]?.timeoutMs).toBe(60_000)
  })
})
