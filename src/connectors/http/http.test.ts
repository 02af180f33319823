import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Connection } from '../../core/connector.ts'
import { callApi, createWorld, failure, type RealServer } from './http.fixture.ts'

const bearer = 'S3cret-Bearer-Token'

let world: Awaited<ReturnType<typeof createWorld>>
let upstream: RealServer
let canary: RealServer
let connection: Connection
beforeEach(async () => {
  world = await createWorld()
  ;({ upstream, canary } = world)
  connection = await world.open({
    crm: { baseUrl: `${upstream.origin}/v1`, allowPrivate: true, auth: { bearer } },
  })
})
afterEach(() => world.close())

const call = (input: Record<string, unknown>, signal?: AbortSignal) => callApi(connection, input, signal)

describe('http_request', () => {
  it.each([
    'GET',
    'POST',
    'PUT',
    'DELETE',
    'PATCH',
  ])('D0-035: sends %s with the credential', async (method) => {
    const result = await call({ method, url: 'items/1', body: { b: [1, null, 'ü'] } })
    expect(result).toMatchObject({ status_code: 200, data: { a: 1 }, success: true, isError: false })
    const { request, body } = upstream.seen[0]!
    expect([request.method, request.url, body]).toEqual([method, '/v1/items/1', '{"b":[1,null,"ü"]}'])
    expect(request.headers).toMatchObject({
      authorization: `Bearer ${bearer}`,
      'content-type': 'application/json',
    })
  })

  it.each([
    ['JSON', 'application/json', '{"a":[1]}', { a: [1] }],
    ['JSON of another type', 'application/problem+json', '"x"', 'x'],
    ['JSON null', 'application/json', 'null', null],
    ['JSON labelled as text', 'text/plain', ' [1]', [1]],
    ['a number as text', 'text/plain', '123', { raw_response: '123' }],
    ['text', 'text/html', '<p>ü</p>', { raw_response: '<p>ü</p>' }],
    ['text in another charset', 'text/plain; charset=latin1', Buffer.from([0xfc]), { raw_response: 'ü' }],
    ['broken JSON', 'application/json', '{"a":', { raw_response: '{"a":' }],
    ['nothing', 'application/json', '', {}],
    ['bytes', 'image/png', Buffer.from([0x89, 0xff]), { raw_base64: 'if8=', media_type: 'image/png' }],
  ])('D0-036: renders %s', async (_what, type, body, data) => {
    upstream.answer = (_request, response) => response.writeHead(200, { 'content-type': type }).end(body)
    expect((await call({ url: 'x' })).data).toEqual(data)
  })

  it('D0-036: JSON that nests too deep to be written again stays text', async () => {
    const deep = '['.repeat(50_000) + ']'.repeat(50_000)
    upstream.answer = (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(deep)
    const result = await call({ url: 'x' })
    expect(result.data).toEqual({ raw_response: deep })
    expect(() => JSON.stringify(result)).not.toThrow()
  })

  it.each([
    [204, true, false],
    [299, true, false],
    [300, false, false],
    [404, false, false],
    [429, false, false],
    [500, false, true],
    [503, false, true],
  ])('D0-036, B-06: status %i: success %s, isError %s', async (status, success, isError) => {
    upstream.answer = (_request, response) => response.writeHead(status).end()
    expect(await call({ url: 'x' })).toMatchObject({ status_code: status, success, isError, data: {} })
  })

  it('D0-037: call headers override the API’s own', async () => {
    connection = await world.open({
      crm: { baseUrl: upstream.origin, allowPrivate: true, headers: { 'X-Mode': 'a', 'X-Kept': 'k' } },
    })
    await call({ url: 'x', headers: { 'x-mode': 'b', 'User-Agent': 'me' } })
    const { headers } = upstream.seen[0]!.request
    expect([headers['x-mode'], headers['x-kept'], headers['user-agent']]).toEqual(['b', 'k', 'me'])
  })

  it('D0-035: a string with a content type of its own is sent as it is', async () => {
    await call({
      method: 'POST',
      url: 'x',
      body: 'a=1&b=2',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    })
    await call({ method: 'POST', url: 'x', body: 'text' })
    expect(upstream.seen.map(({ body }) => body)).toEqual(['a=1&b=2', '"text"'])
  })

  it.each([
    ['api_key', { apiKey: 'k3y-value' }, 'x-api-key', 'k3y-value'],
    ['api_key in a header of its own', { apiKey: 'k3y-value', header: 'X-Crm' }, 'x-crm', 'k3y-value'],
    ['basic', { basic: { user: 'u', password: 'päss' } }, 'authorization', 'Basic dTpww6Rzcw=='],
  ])('D0-032: authenticates by %s', async (_type, auth, header, value) => {
    connection = await world.open({ crm: { baseUrl: upstream.origin, allowPrivate: true, auth } })
    await call({ url: 'x' })
    expect(upstream.seen[0]!.request.headers[header]).toBe(value)
  })

  it('D0-035: the call’s timeout ends it', async () => {
    upstream.answer = () => {}
    const error = await failure(call({ url: 'x', timeout: 0.05 }))
    expect([error.code, error.data?.['sent']]).toEqual(['UPSTREAM_TIMEOUT', true])
  })

  it('an abort ends the call and closes the upstream socket', async () => {
    const stop = new AbortController()
    let closed: Promise<unknown> | undefined
    upstream.answer = (_request, response) => {
      closed = once(response, 'close')
      stop.abort()
    }
    expect((await failure(call({ url: 'x' }, stop.signal))).code).toBe('CANCELLED')
    await closed
  })
})

describe('where a credential may go', () => {
  it('D0-033, C-25: an unknown API is an error that names the known ones, not one without credentials', async () => {
    const error = await failure(call({ api_name: 'erp', url: 'x' }))
    expect([error.code, error.data]).toEqual(['UNKNOWN_API', { api_name: 'erp', known: ['crm'] }])
    expect((await failure(call({ api_name: '__proto__', url: 'x' }))).code).toBe('UNKNOWN_API')
    expect(upstream.connections).toBe(0)
  })

  it.each([
    ['another host', (port: string) => `http://127.0.0.1:${port}/v1/x`],
    ['without a scheme', (port: string) => `//127.0.0.1:${port}/v1/x`],
    ['as user name', (port: string) => `http://api.example@127.0.0.1:${port}/v1/x`],
    ['a backslash', (port: string) => `\\\\127.0.0.1:${port}\\v1`],
    ['a slash and a backslash', (port: string) => `/\\127.0.0.1:${port}/v1/x`],
    ['another scheme', (port: string) => `https://127.0.0.1:${port}/v1/x`],
    ['the API’s host as a user name', (port: string) => `${upstream.origin}@127.0.0.1:${port}/v1/x`],
    ['the API’s host in front', (port: string) => `${upstream.origin}.127.0.0.1:${port}/v1/x`],
    ['a number for a host', (port: string) => `http://2130706433:${port}/v1/x`],
    ['a name for the same address', (port: string) => `http://localhost:${port}/v1/x`],
    ['a scheme without slashes', (port: string) => `http:127.0.0.1:${port}/v1/x`],
    ['three slashes', (port: string) => `http:///127.0.0.1:${port}/v1/x`],
  ])('B-11, S12: %s gets nothing, not even a connection', async (_form, url) => {
    const error = await failure(call({ url: url(new URL(canary.origin).port) }))
    expect(error.code).toBe('URL_NOT_ALLOWED')
    expect([canary.connections, upstream.connections]).toEqual([0, 0])
  })

  it('B-11: a path outside the API’s own gets nothing', async () => {
    expect((await failure(call({ url: '../admin' }))).code).toBe('URL_NOT_ALLOWED')
    expect(upstream.connections).toBe(0)
  })

  it('S12: a redirect to another origin, or out of the API’s path, is refused', async () => {
    upstream.answer = (_request, response) =>
      response.writeHead(302, { location: `${canary.origin}/v1/x` }).end()
    expect((await failure(call({ url: 'x' }))).code).toBe('TOO_MANY_REDIRECTS')
    upstream.answer = (_request, response) => response.writeHead(302, { location: '/v2/x' }).end()
    expect((await failure(call({ url: 'x' }))).code).toBe('TOO_MANY_REDIRECTS')
    upstream.answer = (_request, response) => response.writeHead(302, { location: '/v1/..%2fv2' }).end()
    expect((await failure(call({ url: 'x' }))).code).toBe('TOO_MANY_REDIRECTS')
    expect([canary.connections, upstream.seen.length]).toEqual([0, 3])
  })

  it('S12: a redirect inside the API is followed', async () => {
    upstream.answer = (request, response) =>
      request.url === '/v1/y' ? response.end('here') : response.writeHead(302, { location: 'y' }).end()
    expect((await call({ url: 'x' })).data).toEqual({ raw_response: 'here' })
  })

  it('S10: a private base URL needs allowPrivate, and the error says which key', async () => {
    connection = await world.open({ crm: { baseUrl: upstream.origin } })
    const error = await failure(call({ url: 'x' }))
    expect(error.code).toBe('ADDRESS_NOT_ALLOWED')
    expect(error.hint).toContain('`apis.crm.allowPrivate`')
    expect(upstream.connections).toBe(0)
  })

  it.each([
    'Authorization',
    'authorization',
    'X-Crm-Key',
    'X-Internal-Token',
    'Proxy-Authorization',
    'Host',
    'Cookie',
    'Content-Length',
    'Transfer-Encoding',
    'Connection',
    'TE',
    'Upgrade',
    'X-Forwarded-For',
    'Forwarded',
    'Mcp-Session-Id',
    'X-HTTP-Method-Override',
    'X_HTTP_Method_Override',
    'X_Forwarded_For',
    'X_Crm_Key',
    'X_Internal-Token',
    'X-Original-URL',
    'X-Rewrite-URL',
    'X-Host',
    'Proxy',
    'True-Client-IP',
    'Accept-Encoding',
    'Bad Name',
    '',
  ])('B-12: the header %j cannot be set by a call', async (name) => {
    connection = await world.open({
      crm: {
        baseUrl: upstream.origin,
        allowPrivate: true,
        auth: { apiKey: 'k3y-value', header: 'X-Crm-Key' },
        headers: { 'X-Internal-Token': 'internal-s3cret' },
      },
    })
    const error = await failure(call({ url: 'x', headers: { [name]: 'evil' } }))
    expect(error.code).toBe('HEADER_NOT_ALLOWED')
    expect(upstream.connections).toBe(0)
  })

  it.each([
    'a\r\nX-Evil: 1',
    'a\nb',
    'a\0b',
    'a\rb',
    'ሴ',
  ])('B-12: the header value %j is refused', async (value) => {
    expect((await failure(call({ url: 'x', headers: { 'x-a': value } }))).code).toBe('HEADER_NOT_ALLOWED')
    expect(upstream.connections).toBe(0)
  })

  it.each([
    [['GET'], 'read'],
    [['GET', 'POST'], 'write'],
    [['GET', 'DELETE'], 'destructive'],
  ] as const)('its effect with %j is %s: the worst that any API lets it have', async (methods, effect) => {
    const tame = { baseUrl: upstream.origin, allowPrivate: true, methods: ['GET'] as const }
    connection = await world.open({ tame, crm: { ...tame, methods } })
    expect(connection.targets()[0]).toMatchObject({ effect })
  })

  it('refuses methods the API does not take, and tells the model', async () => {
    connection = await world.open({ crm: { baseUrl: upstream.origin, allowPrivate: true, methods: ['GET'] } })
    expect((await failure(call({ url: 'x', method: 'POST' }))).code).toBe('INVALID_INPUT')
    expect(upstream.connections).toBe(0)
    expect(connection.targets()[0]).toMatchObject({ effect: 'read' })
    expect(connection.targets()[0]?.description).toContain(`crm (${upstream.origin}/; GET)`)
  })
})
