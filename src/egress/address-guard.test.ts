import type { LookupAddress } from 'node:dns'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { WeirError } from '../core/error.ts'
import { silentLogger } from '../core/logger.ts'
import { type Canary, startCanary } from './canary.fixture.ts'
import { createEgress } from './create-egress.ts'
import type { ClientOptions, Egress, Lookup } from './egress.ts'

let canary: Canary
let egress: Egress
beforeEach(async () => {
  canary = await startCanary()
  egress = createEgress({ log: silentLogger })
})
afterEach(async () => {
  await egress.close()
  await canary[Symbol.asyncDispose]()
})

/** Resolves names from a list of answers, one for each question; the last one stays. */
function resolving(...answers: string[][]): { lookup: Lookup; asked: () => number } {
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
  return { lookup: lookup as unknown as Lookup, asked: () => asked }
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('The request went through.'),
    (thrown: WeirError) => thrown,
  )

describe('what may not be reached', () => {
  it.each([
    'http://127.0.0.1:PORT/',
    'http://127.1:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f.1:PORT/',
    'http://0x7f000001:PORT/',
    'http://0177.0.0.1:PORT/',
    'http://017700000001:PORT/',
    'http://127.0.0.1.:PORT/',
    'http://%31%32%37.0.0.1:PORT/',
    'http://１２７.0.0.1:PORT/',
    'http://0.0.0.0:PORT/',
    'http://0:PORT/',
    'http://[::1]:PORT/',
    'http://[::]:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://[::ffff:7f00:1]:PORT/',
    'http://[0:0:0:0:0:ffff:7f00:0001]:PORT/',
    'http://localhost:PORT/',
    'http://LOCALHOST:PORT/',
    'https://localhost:PORT/',
  ])('S10: %s is refused, and the canary sees no connection', async (template) => {
    const url = template.replace('PORT', String(canary.port))
    const error = await failure(egress.client().request(url, {}))
    expect(error.code).toBe('ADDRESS_NOT_ALLOWED')
    expect(error.data).toMatchObject({ sent: false, configKey: 'allowPrivate' })
    expect(error.hint).toContain('allowPrivate')
    expect(canary.connections()).toBe(0)
  })

  it('S10: the same address is reached where it is allowed, so the refusals above can fail', async () => {
    const client = egress.client({ allowPrivate: true })
    for (const host of ['127.0.0.1', '2130706433', '0x7f.1', 'localhost', '[::ffff:127.0.0.1]']) {
      expect((await client.request(`http://${host}:${canary.port}/`, {})).status).toBe(200)
    }
  })

  it.each([
    ['file:///etc/passwd', 'URL_NOT_ALLOWED'],
    ['ftp://127.0.0.1/', 'URL_NOT_ALLOWED'],
    ['unix:/var/run/docker.sock', 'URL_NOT_ALLOWED'],
    ['http+unix://%2Fvar%2Frun%2Fdocker.sock/info', 'URL_NOT_ALLOWED'],
    ['http://user:secret@example.com/', 'URL_NOT_ALLOWED'],
    ['//example.com/', 'URL_NOT_ALLOWED'],
    ['http://', 'URL_NOT_ALLOWED'],
  ])('S10: %s is refused by its form', async (url, code) => {
    const error = await failure(egress.client({ allowPrivate: true }).request(url, {}))
    expect(error.code).toBe(code)
    expect(error.message).not.toContain('secret')
  })

  it('S10: a name with one private address among public ones is refused whole', async () => {
    const { lookup } = resolving(['93.184.216.34', '127.0.0.1'])
    const client = createEgress({ log: silentLogger, lookup }).client()
    const error = await failure(client.request(`http://mixed.example:${canary.port}/`, {}))
    expect(error.code).toBe('ADDRESS_NOT_ALLOWED')
    expect(canary.connections()).toBe(0)
  })

  it.each([
    'localhost.',
    'sub.localhost',
    'printer.local.',
  ])('S10: %s is judged by what it resolves to', async (host) => {
    const { lookup } = resolving(['127.0.0.1'])
    const client = createEgress({ log: silentLogger, lookup }).client()
    const error = await failure(client.request(`http://${host}:${canary.port}/`, {}))
    expect(error.code).toBe('ADDRESS_NOT_ALLOWED')
    expect(canary.connections()).toBe(0)
  })

  it('S10: the error names host, class and config key, not the address behind the name', async () => {
    const { lookup } = resolving(['10.20.30.40'])
    const client = createEgress({ log: silentLogger, lookup }).client({
      allowPrivateKey: 'apis.crm.allowPrivate',
    })
    const error = await failure(client.request('http://crm.example/', {}))
    expect(error.message).toBe('crm.example leads to a private address, which this connection may not reach.')
    expect(error.hint).toContain('`apis.crm.allowPrivate`')
    expect(JSON.stringify([error.message, error.hint, error.data])).not.toContain('10.20.30.40')
  })

  it('S10: rebinding DNS gains nothing: each socket uses the answer that was judged', async () => {
    const { lookup, asked } = resolving(['127.0.0.1'], ['10.0.0.1'], ['127.0.0.1'])
    const client = createEgress({ log: silentLogger, lookup }).client({ allowPrivate: ['127.0.0.0/8'] })
    const url = `http://rebind.example:${canary.port}/`
    expect((await client.request(url, {})).status).toBe(200)
    expect(asked()).toBe(1)
    canary.server.closeAllConnections()
    await canary.socketClosed().catch(() => undefined)
    let error: WeirError | undefined
    // The first request after the close may still meet the dying socket.
    while (error?.code !== 'ADDRESS_NOT_ALLOWED') error = await failure(client.request(url, {}))
    expect(asked()).toBe(2)
    expect(canary.connections()).toBe(1)
    await client.close()
  })

  it('reports a name that does not resolve as unreachable, not sent', async () => {
    const { lookup } = resolving([])
    const client = createEgress({ log: silentLogger, lookup }).client()
    const error = await failure(client.request('http://nowhere.example/', {}))
    expect(error.code).toBe('UPSTREAM_UNREACHABLE')
    expect(error.data).toMatchObject({ cause: 'ENOTFOUND', sent: false })
  })
})

describe('what allowPrivate allows', () => {
  const tryReach = async (
    allowPrivate: ClientOptions['allowPrivate'] & {},
    addresses: string[],
    host = 'x.example',
  ) => {
    const { lookup } = resolving(addresses)
    const client = createEgress({ log: silentLogger, lookup }).client({ allowPrivate, connectTimeoutMs: 100 })
    const error = await failure(client.request(`http://${host}:1/`, {}))
    await client.close()
    return error.code === 'ADDRESS_NOT_ALLOWED' ? 'refused' : 'tried'
  }

  it.each([
    ['true reaches loopback', true, '127.0.0.1', 'tried'],
    ['true does not reach cloud metadata', true, '169.254.169.254', 'refused'],
    ['true does not reach metadata by IPv6', true, '::ffff:169.254.169.254', 'refused'],
    ['true does not reach link-local', true, 'fe80::1', 'refused'],
    ['true does not reach multicast', true, '224.0.0.1', 'refused'],
    ['a block reaches its own', ['127.0.0.0/8'], '127.8.8.8', 'tried'],
    ['a block reaches its own in mapped form', ['127.0.0.0/8'], '::ffff:127.0.0.1', 'tried'],
    ['a block does not reach others', ['127.0.0.0/8'], '10.0.0.1', 'refused'],
    ['an address reaches itself', ['127.0.0.1'], '127.0.0.1', 'tried'],
    ['an IPv6 address reaches itself', ['[::1]'], '::1', 'tried'],
    ['a host reaches what it resolves to', ['X.example.'], '127.0.0.1', 'tried'],
    ['a host is not a suffix', ['example'], '127.0.0.1', 'refused'],
    ['nothing is reached by an empty list', [], '127.0.0.1', 'refused'],
  ])('S10: %s', async (_title, allowPrivate, address, verdict) => {
    expect(await tryReach(allowPrivate, [address])).toBe(verdict)
  })

  it.each([
    '10.0.0.0/33',
    '10.0.0.0/',
    'http://x',
    '*.example',
    'x:80',
    '',
    '10.0.0.1/8/8',
    '300.1.1.1',
  ])('S10: the list entry %j is refused as configuration', (entry) => {
    expect(() => egress.client({ allowPrivate: [entry] })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    )
  })
})
