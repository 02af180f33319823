import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WeirError } from '../core/error.ts'
import { silentLogger } from '../core/logger.ts'
import { type Canary, startCanary, startRawServer } from './canary.fixture.ts'
import { createEgress } from './create-egress.ts'
import type { Egress, EgressClient, EgressRequest } from './egress.ts'

let egress: Egress
let client: EgressClient
let canary: Canary
let answer: RequestListener
beforeEach(async () => {
  egress = createEgress({ log: silentLogger })
  client = egress.client({ allowPrivate: true })
  canary = await startCanary((request, response) => answer(request, response))
})
afterEach(async () => {
  await egress.close()
  await canary[Symbol.asyncDispose]()
})

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('The request went through.'),
    (thrown: WeirError) => thrown,
  )

describe('a buffered answer', () => {
  it('sends method, headers and body, and gives status, headers and body', async () => {
    answer = (_request, response) => response.writeHead(201, { 'x-a': '1' }).end('täst')
    const request: EgressRequest = { method: 'PUT', headers: { 'x-b': '2' }, body: 'bödy' }
    const response = await client.request(`${canary.origin}/a?b=c`, request)
    expect([response.status, response.headers['x-a'], response.body.toString()]).toEqual([201, '1', 'täst'])
    expect(canary.requests[0]).toMatchObject({ method: 'PUT', url: '/a?b=c', body: 'bödy' })
    expect(canary.requests[0]?.headers).toMatchObject({ 'x-b': '2', 'accept-encoding': 'identity' })
  })

  // Two, not one: undici lets a socket rest for one turn of the event loop after each answer.
  it('C-08: a target’s requests share kept sockets', async () => {
    answer = (_request, response) => response.end('ok')
    const target = client.target(canary.origin)
    for (let at = 0; at < 20; at++) await target.request({ headers: ['x-a', String(at)] })
    expect(canary.connections()).toBeLessThanOrEqual(2)
    expect(canary.requests.map(({ headers }) => headers['x-a'])).toEqual(
      Array.from({ length: 20 }, (_, at) => `${at}`),
    )
  })

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ])('decodes %s that came unasked', async (encoding, encode) => {
    answer = (_request, response) =>
      response.writeHead(200, { 'content-encoding': encoding }).end(encode('hello'))
    expect((await client.request(canary.origin, {})).body.toString()).toBe('hello')
  })

  it('R22: a small answer cannot unfold into a big one', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000))
    answer = (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)
    const error = await failure(client.request(canary.origin, { responseBytesMax: 20_000 }))
    expect(bomb.length).toBeLessThan(20_000)
    expect(error.code).toBe('RESPONSE_TOO_LARGE')
  })

  it.each([
    ['an unknown encoding', 'compress', 'x'],
    ['two encodings', 'gzip, gzip', 'x'],
    ['what is not the encoding it says', 'gzip', 'x'],
    ['a name from the prototype', 'constructor', 'x'],
  ])('refuses %s', async (_what, encoding, body) => {
    answer = (_request, response) => response.writeHead(200, { 'content-encoding': encoding }).end(body)
    expect((await failure(client.request(canary.origin, {}))).code).toBe('UPSTREAM_ERROR')
  })
})

describe('bounds', () => {
  it('R22: an endless body is cut at the cap, and the server sees its socket close', async () => {
    let closed: Promise<unknown> | undefined
    answer = (_request, response) => {
      closed = once(response, 'close')
      const pump = () => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384))) {}
        if (!response.destroyed) response.once('drain', pump)
      }
      pump()
    }
    const error = await failure(client.request(canary.origin, { responseBytesMax: 100_000 }))
    expect(error.code).toBe('RESPONSE_TOO_LARGE')
    expect(error.data).toMatchObject({ responseBytesMax: 100_000, sent: true })
    await closed
  })

  it('R22: an announced length over the cap is refused before the body', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': '1001' })
      response.flushHeaders()
    }
    const error = await failure(client.request(canary.origin, { responseBytesMax: 1_000 }))
    expect(error.code).toBe('RESPONSE_TOO_LARGE')
  })

  it('R22: a body of exactly the cap is taken, and a HEAD answer may announce more', async () => {
    answer = (_request, response) =>
      response.writeHead(200, { 'content-length': 1_000 }).end(Buffer.alloc(1_000))
    expect((await client.request(canary.origin, { responseBytesMax: 1_000 })).body).toHaveLength(1_000)
    const head = await client.request(canary.origin, { method: 'HEAD', responseBytesMax: 10 })
    expect(head.headers['content-length']).toBe('1000')
  })

  it('R22: headers over 16 KiB are refused', async () => {
    await using raw = await startRawServer((socket) =>
      socket.write(`HTTP/1.1 200 OK\r\nx-a: ${'a'.repeat(40_000)}\r\n\r\n`),
    )
    expect((await failure(client.request(raw.origin, {}))).code).toBe('RESPONSE_TOO_LARGE')
  })

  it('C-08: at most `connectionsPerOrigin` at once; the rest wait, then run', async () => {
    const held: (() => void)[] = []
    answer = (_request, response) => held.push(() => response.end('ok'))
    const narrow = egress.client({ allowPrivate: true, connectionsPerOrigin: 2 })
    const all = [1, 2, 3, 4, 5].map(() => narrow.request(canary.origin, {}))
    for (let done = 0; done < 5; done++) {
      while (held.length === 0) await new Promise(setImmediate)
      expect(canary.openSockets()).toBeLessThanOrEqual(2)
      held.shift()!()
    }
    expect((await Promise.all(all)).every(({ status }) => status === 200)).toBe(true)
    expect(canary.connections()).toBe(2)
  })

  it('C-08: `connectionsMax` bounds all origins together', async () => {
    await using second = await startCanary()
    let release = () => {}
    answer = (_request, response) => {
      release = () => response.end('ok')
    }
    const narrow = egress.client({ allowPrivate: true, connectionsMax: 1 })
    const first = narrow.request(canary.origin, {})
    const waiting = narrow.request(second.origin, {})
    while (canary.requests.length === 0) await new Promise(setImmediate)
    expect(second.connections()).toBe(0)
    release()
    expect((await first).status).toBe(200)
    expect((await waiting).status).toBe(200)
  })

  it('refuses what neither runs nor waits, and forgets who gave up waiting', async () => {
    answer = () => {}
    const narrow = egress.client({ allowPrivate: true, connectionsPerOrigin: 1, waitingMax: 1 })
    void narrow.request(canary.origin, {}).catch(() => undefined)
    const stop = new AbortController()
    const waiting = failure(narrow.request(canary.origin, { signal: stop.signal }))
    const refused = await failure(narrow.request(canary.origin, {}))
    expect([refused.code, refused.data?.['sent']]).toEqual(['OVERLOADED', false])
    stop.abort()
    expect((await waiting).code).toBe('CANCELLED')
    const late = await failure(narrow.request(canary.origin, { headersTimeoutMs: 20 }))
    expect([late.code, late.data?.['sent']]).toEqual(['UPSTREAM_TIMEOUT', false])
    await narrow.close()
  })
})

describe('cancellation', () => {
  it('an abort before the call sends nothing', async () => {
    const reason = new WeirError('DEADLINE_EXCEEDED', 'Too late.')
    expect(await failure(client.request(canary.origin, { signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect(canary.connections()).toBe(0)
  })

  it('an abort under way rejects with the signal’s reason and closes the socket', async () => {
    const stop = new AbortController()
    const reason = new WeirError('DEADLINE_EXCEEDED', 'Too late.')
    let closed: Promise<unknown> | undefined
    answer = (_request, response) => {
      closed = once(response, 'close')
      stop.abort(reason)
    }
    expect(await failure(client.request(canary.origin, { signal: stop.signal }))).toBe(reason)
    await closed
  })

  it('an abort while connecting sends nothing, then or later', async () => {
    answer = (_request, response) => response.end('ok')
    const stop = new AbortController()
    const narrow = egress.client({ allowPrivate: true, connectionsPerOrigin: 1 })
    const pending = failure(narrow.request(`${canary.origin}/given-up`, { signal: stop.signal }))
    stop.abort()
    expect((await pending).code).toBe('CANCELLED')
    await narrow.request(`${canary.origin}/next`, {})
    expect(canary.requests.map(({ url }) => url)).toEqual(['/next'])
  })
})
