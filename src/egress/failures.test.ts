import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { WeirError } from '../core/error.ts'
import { silentLogger } from '../core/logger.ts'
import { startCanary, startRawServer } from './canary.fixture.ts'
import { createEgress } from './create-egress.ts'
import type { Egress, EgressClient } from './egress.ts'

let egress: Egress
let client: EgressClient
beforeEach(() => {
  egress = createEgress({ log: silentLogger })
  client = egress.client({ allowPrivate: true })
})
afterEach(() => egress.close())

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('The request went through.'),
    (thrown: WeirError) => thrown,
  )
const post = { method: 'POST', body: 'x'.repeat(100) }

describe('R3: `data.sent` says whether the request may have left', () => {
  it('R3: no, where nobody listens', async () => {
    const canary = await startCanary()
    await canary[Symbol.asyncDispose]()
    const error = await failure(client.request(canary.origin, post))
    expect(error.code).toBe('UPSTREAM_UNREACHABLE')
    expect(error.data).toMatchObject({ cause: 'ECONNREFUSED', sent: false })
  })

  it('R3: no, where the TLS handshake fails', async () => {
    await using raw = await startRawServer((socket) => socket.destroy())
    const error = await failure(client.request(raw.origin.replace('http:', 'https:'), post))
    expect(error.data).toMatchObject({ cause: 'ECONNRESET', sent: false })
  })

  it('R3: no, where the handshake takes too long', async () => {
    await using raw = await startRawServer(() => {})
    const hasty = egress.client({ allowPrivate: true, connectTimeoutMs: 50 })
    const error = await failure(hasty.request(raw.origin.replace('http:', 'https:'), post))
    expect(error.code).toBe('UPSTREAM_TIMEOUT')
    expect(error.data).toMatchObject({ cause: 'UND_ERR_CONNECT_TIMEOUT', sent: false })
  })

  it('R3: yes, where the server resets after the first byte, and it is sent once only', async () => {
    let connections = 0
    await using raw = await startRawServer((socket) => {
      connections++
      socket.once('data', () => socket.resetAndDestroy())
    })
    const error = await failure(client.request(raw.origin, post))
    expect(error.code).toBe('UPSTREAM_UNREACHABLE')
    expect(error.data?.['sent']).toBe(true)
    expect(connections).toBe(1)
  })

  it('R3: yes, where the answer ends early', async () => {
    await using raw = await startRawServer((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf')),
    )
    const error = await failure(client.request(raw.origin, post))
    expect([error.code, error.data?.['sent']]).toEqual(['UPSTREAM_UNREACHABLE', true])
  })

  it('R3: a kept socket that the server closes under the second request: once only, and sent', async () => {
    let requests = 0
    await using raw = await startRawServer((socket) =>
      socket.on('data', () => {
        requests++
        if (requests === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
        else socket.destroy()
      }),
    )
    const single = egress.client({ allowPrivate: true, connectionsPerOrigin: 1 })
    await single.request(raw.origin, post)
    const error = await failure(single.request(raw.origin, post))
    expect(error.data?.['sent']).toBe(true)
    expect(requests).toBe(2)
  })

  it('R3: a kept socket that the server closed before the second request is not used for it', async () => {
    await using canary = await startCanary()
    const single = egress.client({ allowPrivate: true, connectionsPerOrigin: 1 })
    await single.request(canary.origin, post)
    const closed = canary.socketClosed()
    canary.server.closeAllConnections()
    await closed
    expect((await single.request(canary.origin, post)).status).toBe(200)
    expect(canary.connections()).toBe(2)
  })
})

describe('waiting', () => {
  it('headers that do not come', async () => {
    await using canary = await startCanary(() => {})
    const error = await failure(client.request(canary.origin, { headersTimeoutMs: 30 }))
    expect(error.code).toBe('UPSTREAM_TIMEOUT')
    expect(error.data).toMatchObject({ cause: 'UND_ERR_HEADERS_TIMEOUT', sent: true })
  })

  it('a body that pauses', async () => {
    await using canary = await startCanary((_request, response) => response.write('half'))
    const error = await failure(client.request(canary.origin, { bodyTimeoutMs: 30 }))
    expect(error.data).toMatchObject({ cause: 'UND_ERR_BODY_TIMEOUT', sent: true })
  })

  it('a body that drips for ever ends at the total, and the socket closes', async () => {
    let closed: Promise<unknown> | undefined
    await using canary = await startCanary((_request, response) => {
      closed = once(response, 'close')
      const drip = setInterval(() => response.write('.'), 5)
      response.on('close', () => clearInterval(drip))
    })
    const error = await failure(client.request(canary.origin, { totalTimeoutMs: 60 }))
    expect([error.code, error.data?.['sent']]).toEqual(['UPSTREAM_TIMEOUT', true])
    await closed
  })
})

describe('what is not HTTP', () => {
  it.each([
    ['garbage', 'SSH-2.0-OpenSSH_9.9\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
    ['both framings', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
  ])('%s', async (_what, bytes) => {
    await using raw = await startRawServer((socket) => socket.once('data', () => socket.write(bytes)))
    const error = await failure(client.request(raw.origin, {}))
    expect([error.code, error.data?.['sent']]).toEqual(['UPSTREAM_ERROR', true])
  })

  it('does not take 1xx for the answer', async () => {
    await using raw = await startRawServer((socket) =>
      socket.once('data', () =>
        socket.write(
          'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
        ),
      ),
    )
    expect((await client.request(raw.origin, {})).body.toString()).toBe('ok')
  })

  it.each([
    ['a line break in a value', { 'x-a': 'b\r\nx-injected: 1' }],
    ['NUL in a value', { 'x-a': 'b\0' }],
    ['a line break in a name', { 'x-a\r\nx-b': 'c' }],
    ['framing', { 'transfer-encoding': 'chunked' }],
    ['a wrong length', { 'content-length': '1' }],
  ])('B-12: a header with %s never leaves', async (_what, headers) => {
    await using canary = await startCanary()
    const error = await failure(client.request(canary.origin, { ...post, headers }))
    expect([error.code, error.data?.['sent']]).toEqual(['HEADER_NOT_ALLOWED', false])
    expect(canary.requests).toHaveLength(0)
  })
})

describe('TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-egress-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  execFileSync(
    'openssl',
    [
      ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost'.split(
        ' ',
      ),
      ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert],
    ],
    { stdio: 'ignore' },
  )
  const pair = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }

  it('trusts the configured authority alone, for the right name alone', async () => {
    await using canary = await startCanary(undefined, pair)
    const url = `https://localhost:${canary.port}/`
    const trusting = egress.client({ allowPrivate: true, tls: { ca: pair.cert } })
    expect((await trusting.request(url, post)).body.toString()).toBe('ok')

    const distrusted = await failure(client.request(url, post))
    expect(distrusted.data).toMatchObject({ cause: 'DEPTH_ZERO_SELF_SIGNED_CERT', sent: false })
    const misnamed = await failure(trusting.request(`https://127.0.0.1:${canary.port}/`, post))
    expect(misnamed.data).toMatchObject({ cause: 'ERR_TLS_CERT_ALTNAME_INVALID', sent: false })
    expect(canary.requests).toHaveLength(1)
  })
})
