import type { LookupAddress } from 'node:dns'
import type { RequestListener } from 'node:http'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { WeirError } from '../core/error.ts'
import { silentLogger } from '../core/logger.ts'
import { type Canary, startCanary } from './canary.fixture.ts'
import { createTestAuthority } from './certificates.fixture.ts'
import { createEgress } from './create-egress.ts'
import type { ClientOptions, Lookup } from './egress.ts'

const authority = createTestAuthority()
afterAll(() => authority[Symbol.dispose]())
const pair = authority.issue('rebind.example')

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('The request went through.'),
    (thrown: WeirError) => thrown,
  )

/** Resolves every name to one list after another; the last one stays. */
function resolving(...answers: string[][]): Lookup {
  let asked = 0
  const lookup = (
    _host: string,
    _options: unknown,
    callback: (error: null, all: LookupAddress[]) => void,
  ) => {
    const answer = answers[Math.min(asked++, answers.length - 1)] ?? []
    callback(
      null,
      answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }
  return lookup as unknown as Lookup
}

describe.each([
  ['HTTP/1.1', 'http', undefined],
  ['HTTP/1.1 over TLS', 'https', false],
  ['HTTP/2', 'https', true],
] as const)('S10: what is not to be reached, over %s', (_protocol, scheme, http2) => {
  let inner: Canary
  let answer: RequestListener
  beforeEach(async () => {
    answer = (_request, response) => response.end('ok')
    const tls = scheme === 'http' ? undefined : { ...pair, allowHTTP1: true }
    inner = await startCanary((request, response) => answer(request, response), tls)
  })
  afterEach(() => inner[Symbol.asyncDispose]())

  const openClient = (options: ClientOptions, lookup?: Lookup) => {
    const egress = createEgress({ log: silentLogger, ...(lookup === undefined ? {} : { lookup }) })
    // The name is checked elsewhere; here it must not be what stops a request.
    const tls = { ca: authority.ca, serverName: 'rebind.example' }
    return egress.client({ ...options, ...(http2 === undefined ? {} : { http2, tls }) })
  }
  const at = (host: string) => `${scheme}://${host}:${inner.port}/`

  it.each([
    ['decimal', '2130706433'],
    ['hex', '0x7f000001'],
    ['hex and dots', '0x7f.0.0.0x1'],
    ['octal', '0177.0.0.01'],
    ['octal in one', '017700000001'],
    ['short', '127.1'],
    ['mapped', '[::ffff:127.0.0.1]'],
    ['mapped in hex', '[::ffff:7f00:1]'],
    ['compatible', '[::127.0.0.1]'],
    ['translated', '[::ffff:0:127.0.0.1]'],
    ['NAT64', '[64:ff9b::7f00:1]'],
    ['NAT64, metadata', '[64:ff9b::a9fe:a9fe]'],
    ['6to4', '[2002:7f00:1::]'],
    ['unspecified', '0.0.0.0'],
    ['IPv6 loopback', '[::1]'],
    ['a name', 'localhost'],
  ])('S10: loopback written as %s: refused, and the canary sees nothing', async (_form, host) => {
    const client = openClient({})
    const error = await failure(client.request(at(host), {}))
    expect([error.code, error.data?.['sent']]).toEqual(['ADDRESS_NOT_ALLOWED', false])
    expect([inner.connections(), inner.requests.length]).toEqual([0, 0])
    expect(client.stats()).toMatchObject({ connections_created: 0, connection_errors: 0 })
    await client.close()
  })

  it('S10: and reached where it is allowed, so the refusals above can fail', async () => {
    const client = openClient({ allowPrivate: true })
    for (const host of ['2130706433', '0x7f.0.0.0x1', '0177.0.0.01', '[::ffff:127.0.0.1]', 'localhost']) {
      expect((await client.request(at(host), {})).status).toBe(200)
    }
    expect(inner.requests).toHaveLength(5)
    await client.close()
  })

  it('S10: a chain of redirects is judged at each hop; the last one leads inside and is not followed', async () => {
    await using secret = await startCanary()
    answer = ({ url = '/' }, response) => {
      const hop = Number(url.slice(1))
      const location = hop < 3 ? `/${hop + 1}` : `${scheme}://127.0.0.2:${secret.port}/latest/meta-data`
      response.writeHead(307, { location }).end()
    }
    const client = openClient({ allowPrivate: ['127.0.0.1'] })
    const error = await failure(client.request(at('127.0.0.1'), { redirect: 'any' }))
    expect(error.code).toBe('ADDRESS_NOT_ALLOWED')
    expect(inner.requests.map(({ url }) => url)).toEqual(['/', '/1', '/2', '/3'])
    expect(secret.connections()).toBe(0)
    await client.close()
  })

  it('S10: rebinding: the name leads inside at its second resolution, and no connection follows it', async () => {
    // The same port, on an address that the client may not reach.
    await using secret = await startCanary(undefined, undefined, { host: '127.0.0.2', port: inner.port })
    const client = openClient(
      { allowPrivate: ['127.0.0.1'], connectionsPerOrigin: 1 },
      resolving(['127.0.0.1'], ['127.0.0.2']),
    )
    const url = at('rebind.example')
    expect((await client.request(url, {})).status).toBe(200)
    // A kept connection goes on to where it led.
    expect((await client.request(url, {})).status).toBe(200)
    for (const socket of inner.sockets) socket.destroy()
    let error: WeirError | undefined
    // The first request after the close may still meet the dying socket.
    while (error?.code !== 'ADDRESS_NOT_ALLOWED') error = await failure(client.request(url, {}))
    expect([secret.connections(), inner.requests.length]).toEqual([0, 2])
    await client.close()
  })
})
