import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Connection } from '../../../core/connector.ts'
import { renderError } from '../../../core/error.ts'
import { createFakeClock, type FakeClock } from '../../../testing/fake-clock.ts'
import { callApi, createWorld, failure, listen, type RealServer } from '../http.fixture.ts'

const clientSecret = 'cl1ent s3cret:+%'

let clock: FakeClock
let world: Awaited<ReturnType<typeof createWorld>>
let api: RealServer
let canary: RealServer
let issuer: RealServer
let connection: Connection
/** What the token endpoint answers next. */
let grant: () => readonly [number, unknown]
let valid: string

beforeEach(async () => {
  clock = createFakeClock()
  world = await createWorld({ clock })
  api = world.upstream
  canary = world.canary
  valid = ''
  let issued = 0
  grant = () => {
    issued += 1
    valid = `tok3n-number-${issued}`
    return [200, { access_token: valid, token_type: 'Bearer', expires_in: 3600 }]
  }
  issuer = await listen((_request, response) => {
    const [status, body] = grant()
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  api.answer = (request, response) => {
    if (request.headers.authorization === `Bearer ${valid}`) response.end('{"a":1}')
    else response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end()
  }
  connection = await open()
})
afterEach(async () => {
  await world.close()
  issuer.server.closeAllConnections()
  issuer.server.close()
})

const open = (more: Record<string, unknown> = {}, ofApi: Record<string, unknown> = {}) => {
  const oauth = {
    ...{ tokenUrl: `${issuer.origin}/token`, clientId: 'weir', clientSecret, allowPrivate: true },
    ...more,
  }
  const crm = { baseUrl: `${api.origin}/v1`, allowPrivate: true, auth: { oauth }, ...ofApi }
  return world.open({ crm })
}
const call = (input: Record<string, unknown> = {}, signal?: AbortSignal) =>
  callApi(connection, { url: 'x', ...input }, signal)
const post = { method: 'POST', body: { n: 1 } }

describe('D0-034: the token of an API', () => {
  it('is asked for with the client’s secret at the token endpoint, and shown to the API alone', async () => {
    connection = await open({ scope: 'read write', audience: 'crm', resource: 'https://crm.example/' })
    expect(await call()).toMatchObject({ status_code: 200, data: { a: 1 } })
    const [{ request, body }] = issuer.seen as [RealServer['seen'][0]]
    expect([request.method, request.url]).toEqual(['POST', '/token'])
    const [user, password] = Buffer.from(request.headers.authorization!.slice(6), 'base64')
      .toString()
      .split(':')
    expect([user, new URLSearchParams(`p=${password}`).get('p')]).toEqual(['weir', clientSecret])
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      grant_type: 'client_credentials',
      scope: 'read write',
      audience: 'crm',
      resource: 'https://crm.example/',
    })
    expect(api.seen[0]!.request.headers.authorization).toBe(`Bearer ${valid}`)
    expect(JSON.stringify(api.seen.map((one) => one.request.headers))).not.toContain('Basic')
  })

  it('can be asked for with the secret in the body', async () => {
    connection = await open({ clientAuth: 'post' })
    await call()
    const { request, body } = issuer.seen[0]!
    expect(request.headers.authorization).toBeUndefined()
    expect(new URLSearchParams(body).get('client_secret')).toBe(clientSecret)
  })

  it('is obtained once for all calls that wait for it, and kept', async () => {
    await Promise.all(Array.from({ length: 20 }, () => call()))
    await call()
    expect([issuer.seen.length, api.seen.length]).toEqual([1, 21])
  })

  it('is renewed shortly before it expires, while calls go on with the old one', async () => {
    api.answer = (_request, response) => response.end('{}')
    const used = () => api.seen.at(-1)!.request.headers.authorization
    await call()
    await clock.advance(3_600_000 - 61_000)
    await call()
    expect(issuer.seen.length).toBe(1)
    await clock.advance(2_000)
    await call()
    await expect.poll(() => issuer.seen.length).toBe(2)
    expect(used()).toBe('Bearer tok3n-number-1')
    await expect.poll(async () => call().then(used)).toBe('Bearer tok3n-number-2')
    await clock.advance(3_600_000)
    await call()
    expect(used()).toBe('Bearer tok3n-number-3')
  })

  it('that is given up by one caller still comes for the others', async () => {
    const stop = new AbortController()
    const given = call({}, stop.signal)
    const kept = call()
    stop.abort()
    await expect(given).rejects.toBe(stop.signal.reason)
    expect((await kept).status_code).toBe(200)
    expect(issuer.seen.length).toBe(1)
  })

  it('S16: neither it nor the client’s secret is in what an API that repeats both answers', async () => {
    api.answer = (request, response) => response.end(JSON.stringify({ ...request.headers, clientSecret }))
    const text = JSON.stringify(await call())
    expect(text).toContain('[redacted]')
    for (const secret of [valid, clientSecret]) expect(text).not.toContain(secret)
  })
})

describe('a 401', () => {
  const revoke = async () => {
    await call()
    await clock.advance(20_000)
    valid = 'revoked'
  }

  it.each([
    'GET',
    'PUT',
    'DELETE',
  ])('renews the token once, and the %s is sent again once', async (method) => {
    await revoke()
    expect((await call({ method })).status_code).toBe(200)
    expect([issuer.seen.length, api.seen.length]).toEqual([2, 3])
  })

  it('R3: a POST is sent again, body and all, where the API says that it refused the token', async () => {
    await revoke()
    expect((await call(post)).status_code).toBe(200)
    expect(api.seen.slice(1).map(({ body }) => body)).toEqual(['{"n":1}', '{"n":1}'])
  })

  it.each([
    ['without a challenge', 401, '/v1/x'],
    ['after a redirect', 401, '/v1/y'],
  ])('R3: %s does not have a POST sent again; the next call has a new token', async (how, status, at) => {
    await revoke()
    api.answer = (request, response) => {
      if (request.headers.authorization === `Bearer ${valid}`) response.end('{}')
      else if (request.url !== at) response.writeHead(307, { location: at }).end()
      else
        response.writeHead(status, how === 'after a redirect' ? { 'www-authenticate': 'Bearer' } : {}).end()
    }
    expect((await call(post)).status_code).toBe(401)
    await expect.poll(() => issuer.seen.length).toBe(2)
    expect(api.seen.filter(({ request }) => request.method === 'POST').length).toBe(at === '/v1/x' ? 1 : 2)
    await expect.poll(async () => (await call(post)).status_code).toBe(200)
  })

  it('to a token that is new is the answer: an API that refuses everybody brings no flood of requests for tokens', async () => {
    api.answer = (_request, response) => response.writeHead(401).end()
    for (let i = 0; i < 5; i++) expect((await call()).status_code).toBe(401)
    expect([issuer.seen.length, api.seen.length]).toEqual([1, 5])
    await clock.advance(20_000)
    expect((await call()).status_code).toBe(401)
    expect([issuer.seen.length, api.seen.length]).toEqual([2, 7])
  })

  it('to many calls at once renews the token once', async () => {
    await revoke()
    const answers = await Promise.all(Array.from({ length: 10 }, () => call()))
    expect(answers.every(({ status_code }) => status_code === 200)).toBe(true)
    expect(issuer.seen.length).toBe(2)
  })
})

describe('a token endpoint', () => {
  it.each([
    301, 302, 307, 308,
  ])('S12: that redirects (%i) does not send the secret elsewhere', async (status) => {
    issuer.answer = (_request, response) =>
      response.writeHead(status, { location: `${canary.origin}/token` }).end()
    const error = await failure(call())
    expect([error.code, error.data?.['sent']]).toEqual(['TOO_MANY_REDIRECTS', false])
    expect([canary.connections, api.connections]).toEqual([0, 0])
  })

  it.each([
    [400, { error: 'invalid_scope' }, 'UPSTREAM_AUTH'],
    [401, { error: 'invalid_client', error_description: `not ${clientSecret}` }, 'UPSTREAM_AUTH'],
    [200, { error: 'invalid_client' }, 'UPSTREAM_AUTH'],
    [200, { access_token: 'a b', token_type: 'bearer' }, 'UPSTREAM_AUTH'],
    [200, { access_token: 'abc', token_type: 'mac' }, 'UPSTREAM_AUTH'],
    [200, 'hello', 'UPSTREAM_AUTH'],
    [429, {}, 'CONNECTION_UNAVAILABLE'],
    [503, {}, 'CONNECTION_UNAVAILABLE'],
  ])('that answers %i %j is an error, the API sees nothing, and it heals', async (status, body, code) => {
    const good = grant
    grant = () => [status, body]
    const error = await failure(call())
    expect([error.code, error.data?.['sent'], error.data?.['api_name']]).toEqual([code, false, 'crm'])
    expect(JSON.stringify(renderError(error))).not.toContain(clientSecret)
    expect((await failure(call())).code).toBe(code)
    expect([issuer.seen.length, api.connections]).toEqual([1, 0])
    grant = good
    await clock.advance(1_500)
    expect((await call()).status_code).toBe(200)
  })

  it('that is down is named by the check and by the call, and the connection opens all the same', async () => {
    connection = await open({ tokenUrl: 'http://127.0.0.1:1/token' })
    const error = await failure(call())
    expect([error.code, error.data?.['sent']]).toEqual(['UPSTREAM_UNREACHABLE', false])
    expect(error.message).toMatch(/^On the way to a token for the API crm: /)
    expect((await failure(connection.check(new AbortController().signal))).message).toContain(':1 ')
  })

  it('S12: is checked without a secret, and needs an allowPrivate of its own', async () => {
    await connection.check(new AbortController().signal)
    expect(issuer.seen.map(({ request }) => [request.method, request.headers.authorization])).toEqual([
      ['HEAD', undefined],
    ])
    connection = await open({ allowPrivate: false })
    expect((await failure(call())).hint).toContain('`apis.crm.auth.oauth.allowPrivate`')
  })

  it('a call of a closed connection waits for no token', async () => {
    await connection.close()
    expect((await failure(call())).code).toBe('CONNECTION_UNAVAILABLE')
  })

  it.each([
    'http://auth.example/token',
    'https://u:p@auth.example/token',
    'https://auth.example/token#x',
    'ftp://auth.example/token',
  ])('S12: %s is refused in the configuration', (tokenUrl) => {
    const auth = { oauth: { tokenUrl, clientId: 'a', clientSecret: 'b' } }
    expect(() => world.connector.config.parse({ apis: { crm: { baseUrl: 'http://x', auth } } })).toThrow(
      'auth',
    )
  })
})
