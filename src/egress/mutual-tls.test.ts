import type { RequestListener } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { WeirError } from '../core/error.ts'
import { silentLogger } from '../core/logger.ts'
import { type Canary, startCanary } from './canary.fixture.ts'
import { createTestAuthority } from './certificates.fixture.ts'
import { createEgress } from './create-egress.ts'
import type { Egress, TlsOptions } from './egress.ts'
import { startStrictTls } from './strict-tls.fixture.ts'

const authority = createTestAuthority()
const stranger = createTestAuthority()
afterAll(() => {
  authority[Symbol.dispose]()
  stranger[Symbol.dispose]()
})
const server = authority.issue('localhost')
const [first, second] = [authority.issue('first'), authority.issue('second')]
const strange = stranger.issue('stranger')
const locked = authority.issue('locked', { passphrase: 'open sesame' })
const { ca } = authority

let egress: Egress
beforeEach(() => {
  egress = createEgress({ log: silentLogger })
})
afterEach(() => egress.close())

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('The request went through.'),
    (thrown: WeirError) => thrown,
  )
const whoAsks: RequestListener = (request, response) => {
  response.end((request.socket as TLSSocket).getPeerCertificate().subject?.CN)
}

describe.each([
  ['HTTP/1.1', false],
  ['HTTP/2', true],
])('mutual TLS over %s', (_protocol, http2) => {
  const start = (listener = whoAsks) =>
    startCanary(listener, { ...server, ca, requestCert: true, rejectUnauthorized: true, allowHTTP1: true })
  const clientWith = (tls: TlsOptions) => egress.client({ allowPrivate: true, http2, tls })
  const at = ({ port }: Canary) => `https://localhost:${port}/`

  it('D1-062: the client presents its certificate, whose key may be locked', async () => {
    await using canary = await start()
    const response = await clientWith({ ca, ...first }).request(at(canary), {})
    expect(response.body.toString()).toBe('first')
    const opened = clientWith({ ca, ...locked, passphrase: 'open sesame' })
    expect((await opened.request(at(canary), {})).body.toString()).toBe('locked')
  })

  it.each([
    ['none', {}],
    ['one of a stranger', strange],
  ])('D1-062: the server takes no client with %s, and what was wrong is said', async (what, pair) => {
    await using strict = await startStrictTls(server, ca)
    const post = { method: 'POST', body: 'x' }
    const error = await failure(clientWith({ ca, ...pair }).request(strict.origin, post))
    expect([error.code, error.data?.['sent']]).toEqual(['UPSTREAM_UNREACHABLE', false])
    expect(error.hint).toContain(
      what === 'none' ? 'asks for a client certificate' : 'this client certificate',
    )
    await using canary = await start()
    expect((await failure(clientWith({ ca, ...pair }).request(at(canary), post))).code).toBe(
      'UPSTREAM_UNREACHABLE',
    )
    expect(canary.requests).toHaveLength(0)
  })

  it('D1-062: certificates are renewed under way: no request fails, old ones end as they began', async () => {
    const held: Array<() => void> = []
    await using canary = await start((request, response) => {
      if (request.url === '/held') held.push(() => whoAsks(request, response))
      else whoAsks(request, response)
    })
    const client = clientWith({ ca, ...first })
    const target = client.target(at(canary))
    const before = [1, 2].map(() => client.request(`${at(canary)}held`, {}))
    await target.request({})
    while (held.length < 2) await new Promise(setImmediate)
    let answered = 0
    const asked = Array.from({ length: 8 }, async () => {
      for (; answered < 200; answered++) await target.request({})
    })
    while (answered < 50) await new Promise(setImmediate)
    client.renew({ tls: { ca, ...second } })
    expect((await target.request({})).body.toString()).toBe('second')
    await Promise.all(asked)
    for (const release of held) release()
    for (const response of await Promise.all(before)) expect(response.body.toString()).toBe('first')
    expect((await target.request({})).body.toString()).toBe('second')
    while (canary.openSockets() > client.stats().active_connections) await new Promise(setImmediate)
    await client.close()
    while (canary.openSockets() > 0) await new Promise(setImmediate)
  })

  it('D1-062: idle sockets of the old certificate close; a renewal that cannot be used changes nothing', async () => {
    await using canary = await start()
    const client = clientWith({ ca, ...first })
    await client.request(at(canary), {})
    expect(() => client.renew({ tls: { ca, cert: second.cert, key: first.key } })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    )
    expect([canary.openSockets(), canary.connections()]).toEqual([1, 1])
    expect((await client.request(at(canary), {})).body.toString()).toBe('first')
    const gone = canary.socketClosed()
    client.renew({ tls: { ca, ...second } })
    await gone
    expect((await client.request(at(canary), {})).body.toString()).toBe('second')
  })
})

describe('the server’s certificate', () => {
  it.each([
    ['has expired', authority.issue('localhost', { days: -1 }), {}, 'CERT_HAS_EXPIRED', 'expired'],
    [
      'is of an unknown authority',
      stranger.issue('localhost'),
      {},
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'authority',
    ],
    [
      'is for another name',
      authority.issue('other.example'),
      {},
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'host name',
    ],
    [
      'is not for `serverName`',
      server,
      { serverName: 'x.example' },
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'host name',
    ],
  ])('%s: nothing is sent, and the cause is named', async (_what, pair, tls, cause, hint) => {
    await using canary = await startCanary(undefined, pair)
    const client = egress.client({ allowPrivate: true, tls: { ca, ...tls } })
    const headers = { authorization: 'Bearer s3cret' }
    const error = await failure(client.request(`https://localhost:${canary.port}`, { headers }))
    expect(error.data).toMatchObject({ cause, sent: false })
    expect(error.hint).toContain(hint)
    expect(JSON.stringify([error.message, error.hint, error.data])).not.toMatch(/s3cret|BEGIN|other\.example/)
    expect(canary.requests).toHaveLength(0)
    expect(client.stats()).toMatchObject({ connections_created: 0, connection_errors: 1 })
  })

  it('is for the name that `serverName` says, whatever the URL and a `host` header have', async () => {
    await using canary = await startCanary(undefined, authority.issue('inner.example'))
    const url = `https://127.0.0.1:${canary.port}`
    const named = egress.client({ allowPrivate: true, tls: { ca, serverName: 'inner.example' } })
    expect((await named.request(url, {})).status).toBe(200)
    const unnamed = egress.client({ allowPrivate: true, tls: { ca } })
    const error = await failure(unnamed.request(url, { headers: { host: 'inner.example' } }))
    expect(error.data).toMatchObject({ cause: 'ERR_TLS_CERT_ALTNAME_INVALID', sent: false })
  })
})

describe('certificates that cannot be used', () => {
  it.each([
    ['a certificate without a key', { cert: first.cert }, 'Give both'],
    ['a key without a certificate', { key: first.key }, 'Give both'],
    ['a key of another certificate', { cert: first.cert, key: second.key }, 'another certificate'],
    ['a locked key', locked, 'passphrase'],
    ['a locked key and the wrong passphrase', { ...locked, passphrase: 's3cret' }, 'passphrase'],
    ['what is not PEM', { cert: 's3cret', key: 's3cret' }, 'PEM'],
    ['authorities that are not PEM', { ca: 's3cret' }, 'PEM'],
  ])('%s: CONFIG_INVALID before anything is opened', (_what, tls, hint) => {
    const thrown = (() => {
      try {
        egress.client({ tls })
        return expect.unreachable('It was taken.')
      } catch (error) {
        return error as WeirError
      }
    })()
    expect([thrown.code, thrown.hint]).toEqual(['CONFIG_INVALID', expect.stringContaining(hint)])
    expect(JSON.stringify([thrown.message, thrown.hint, thrown.data])).not.toContain('s3cret')
  })
})
