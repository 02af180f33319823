import type { RequestListener } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { WeirError } from '../core/error.ts'
import { silentLogger } from '../core/logger.ts'
import { type Canary, startCanary } from './canary.fixture.ts'
import { createEgress } from './create-egress.ts'
import type { Egress, EgressClient } from './egress.ts'

let egress: Egress
let client: EgressClient
let other: Canary
let origin: Canary
let answer: RequestListener
beforeEach(async () => {
  egress = createEgress({ log: silentLogger })
  client = egress.client({ allowPrivate: ['127.0.0.1'] })
  other = await startCanary()
  origin = await startCanary((request, response) => answer(request, response))
})
afterEach(async () => {
  await egress.close()
  await origin[Symbol.asyncDispose]()
  await other[Symbol.asyncDispose]()
})

const redirectTo = (location: string, status = 302): RequestListener => {
  return (request, response) => {
    if (request.url === '/end') response.end('arrived')
    else response.writeHead(status, { location }).end('moved')
  }
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('The request went through.'),
    (thrown: WeirError) => thrown,
  )

const credentials = { authorization: 'Bearer s3cret', 'x-api-key': 's3cret', cookie: 's=3cret' }

describe('redirects', () => {
  it('S10: follows within the origin, headers kept, and says where the answer came from', async () => {
    answer = redirectTo('/end')
    const response = await client.request(`${origin.origin}/start`, {
      redirect: 'same-origin',
      headers: credentials,
    })
    expect(response.body.toString()).toBe('arrived')
    expect(response.url).toBe(`${origin.origin}/end`)
    expect(origin.requests[1]?.headers).toMatchObject(credentials)
  })

  it.each([
    ['absolute', (port: number) => `http://127.0.0.1:${port}/end`],
    ['without a scheme', (port: number) => `//127.0.0.1:${port}/end`],
    ['backslashes', (port: number) => `\\\\127.0.0.1:${port}\\end`],
  ])('S12: refuses another origin (%s), which sees no connection', async (_form, location) => {
    answer = redirectTo(location(other.port))
    const error = await failure(
      client.request(origin.origin, { redirect: 'same-origin', headers: credentials }),
    )
    expect(error.code).toBe('TOO_MANY_REDIRECTS')
    expect(error.data).toMatchObject({ to: other.origin, sent: true })
    expect(other.connections()).toBe(0)
  })

  it('S12: refuses a redirect with credentials in the URL', async () => {
    answer = redirectTo(`http://user:pass@127.0.0.1:${origin.port}/end`)
    const error = await failure(client.request(origin.origin, { redirect: 'same-origin' }))
    expect(error.code).toBe('URL_NOT_ALLOWED')
    expect(origin.requests).toHaveLength(1)
  })

  it('S12: follows to another origin only where asked, without any header of the request', async () => {
    answer = redirectTo(`${other.origin}/end`)
    const response = await client.request(origin.origin, { redirect: 'any', headers: credentials })
    expect(response.body.toString()).toBe('ok')
    expect(Object.keys(other.requests[0]?.headers ?? {}).sort()).toEqual(['connection', 'host'])
  })

  it.each([307, 308])('S12: sends no body to another origin (%i)', async (status) => {
    answer = redirectTo(`${other.origin}/end`, status)
    const error = await failure(
      client.request(origin.origin, { redirect: 'any', method: 'POST', body: 'secret' }),
    )
    expect(error.code).toBe('TOO_MANY_REDIRECTS')
    expect(other.connections()).toBe(0)
  })

  it.each([
    ['another loopback address', 'http://127.0.0.2:PORT/end'],
    ['another spelling of loopback', 'http://[::ffff:127.0.0.2]:PORT/end'],
    ['cloud metadata', 'http://169.254.169.254/latest/meta-data'],
  ])('S10: judges the address of every hop anew (%s)', async (_what, location) => {
    answer = redirectTo(location.replace('PORT', String(other.port)))
    const error = await failure(client.request(origin.origin, { redirect: 'any' }))
    expect(error.code).toBe('ADDRESS_NOT_ALLOWED')
    expect(other.connections()).toBe(0)
  })

  it.each(['file:///etc/passwd', 'javascript:alert(1)'])('S10: does not follow to %s', async (location) => {
    answer = redirectTo(location)
    expect((await failure(client.request(origin.origin, { redirect: 'any' }))).code).toBe('URL_NOT_ALLOWED')
  })

  it('S10: ends a chain after five', async () => {
    answer = redirectTo('/again')
    const error = await failure(client.request(origin.origin, { redirect: 'same-origin' }))
    expect(error.code).toBe('TOO_MANY_REDIRECTS')
    expect(origin.requests).toHaveLength(6)
  })

  it('refuses any redirect unless asked, and hands it out where asked', async () => {
    answer = redirectTo('/end')
    expect((await failure(client.request(origin.origin, {}))).code).toBe('TOO_MANY_REDIRECTS')
    const response = await client.request(origin.origin, { redirect: 'manual' })
    expect([response.status, response.headers.location, response.body.toString()]).toEqual([
      302,
      '/end',
      'moved',
    ])
  })

  it('asks before each hop', async () => {
    answer = redirectTo('/end')
    const asked: string[] = []
    const allowRedirect = (to: URL) => {
      asked.push(to.pathname)
      return false
    }
    const error = await failure(client.request(origin.origin, { redirect: 'same-origin', allowRedirect }))
    expect([error.code, asked, origin.requests.length]).toEqual(['TOO_MANY_REDIRECTS', ['/end'], 1])
  })

  it('takes a 304 and a 302 without Location as answers', async () => {
    answer = (_request, response) => response.writeHead(304).end()
    expect((await client.request(origin.origin, {})).status).toBe(304)
    answer = (_request, response) => response.writeHead(302).end('no')
    expect((await client.request(origin.origin, {})).status).toBe(302)
  })

  it.each([
    [301, 'POST', 'GET', ''],
    [302, 'POST', 'GET', ''],
    [303, 'POST', 'GET', ''],
    [303, 'PUT', 'GET', ''],
    [302, 'PUT', 'PUT', 'body'],
    [307, 'POST', 'POST', 'body'],
    [308, 'PATCH', 'PATCH', 'body'],
  ])('%i turns %s into %s', async (status, method, methodAfter, bodyAfter) => {
    answer = redirectTo('/end', status)
    await client.request(origin.origin, {
      redirect: 'same-origin',
      method,
      body: 'body',
      headers: { 'content-type': 'text/plain' },
    })
    const [, second] = origin.requests
    expect([second?.method, second?.body]).toEqual([methodAfter, bodyAfter])
    expect(second?.headers['content-type']).toBe(bodyAfter === '' ? undefined : 'text/plain')
  })

  it('bounds the body of a redirect too', async () => {
    answer = (_request, response) => {
      response.writeHead(302, { location: '/end' })
      response.end(Buffer.alloc(2_000))
    }
    const error = await failure(
      client.request(origin.origin, { redirect: 'same-origin', responseBytesMax: 1_000 }),
    )
    expect(error.code).toBe('RESPONSE_TOO_LARGE')
  })
})
