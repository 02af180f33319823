import type { RequestListener } from 'node:http'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { WeirError } from '../core/error.ts'
import { silentLogger } from '../core/logger.ts'
import { type Canary, startCanary } from './canary.fixture.ts'
import { createTestAuthority } from './certificates.fixture.ts'
import { createEgress } from './create-egress.ts'
import type { Egress, EgressClient, EgressResponse } from './egress.ts'
import { type RawH2Script, startRawH2 } from './raw-h2.fixture.ts'

const authority = createTestAuthority()
afterAll(() => authority[Symbol.dispose]())
const pair = authority.issue('localhost')
const tls = { ca: authority.ca }
const both = { ...pair, allowHTTP1: true }

let egress: Egress
let client: EgressClient
let canary: Canary
let url: string
let answer: RequestListener
beforeEach(async () => {
  answer = (_request, response) => response.end('ok')
  egress = createEgress({ log: silentLogger })
  client = egress.client({ allowPrivate: true, http2: true, tls })
  canary = await startCanary((request, response) => answer(request, response), both)
  url = `https://localhost:${canary.port}`
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
const text = ({ body }: EgressResponse) => body.toString()
const until = async (isTrue: () => boolean) => {
  const end = Date.now() + 20_000
  while (!isTrue()) {
    if (Date.now() > end) throw new Error('It never came to be.')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

describe('what the server speaks', () => {
  it('B-36, D1-030, D1-065: HTTP/2 where it can, thirty requests at once on one connection', async () => {
    const target = client.target(`${url}/a?b=c`)
    const asked = Array.from({ length: 30 }, (_, at) =>
      target.request({ method: 'POST', headers: { 'x-a': 'b' }, body: `n${at}` }),
    )
    expect(new Set((await Promise.all(asked)).map(text))).toEqual(new Set(['ok']))
    expect(canary.connections()).toBe(1)
    expect(canary.requests).toHaveLength(30)
    expect(canary.requests[0]).toMatchObject({ method: 'POST', url: '/a?b=c' })
    expect(canary.requests[0]?.headers).toMatchObject({
      'x-a': 'b',
      ':authority': `localhost:${canary.port}`,
    })
    expect(new Set(canary.requests.map(({ body }) => body)).size).toBe(30)
    expect(client.stats()).toMatchObject({
      ...{ connections_created: 1, connections_reused: 1, total_requests: 30, active_connections: 1 },
      ...{ connection_errors: 0, connection_reuse_rate: 100, average_requests_per_connection: 30 },
    })
  })

  it('B-36: HTTP/1.1 where it cannot, on the very socket that found out', async () => {
    await using old = await startCanary(undefined, pair)
    const target = client.target(`https://localhost:${old.port}`)
    await target.request({})
    expect([old.connections(), old.requests[0]?.headers['host']]).toEqual([1, `localhost:${old.port}`])
    await Promise.all(Array.from({ length: 5 }, () => target.request({ method: 'POST', body: 'x' })))
    expect(old.requests).toHaveLength(6)
    // undici lets a socket rest for one turn of the event loop after each answer.
    expect(old.connections()).toBeLessThanOrEqual(6)
  })

  it('HTTP/1.1 stays the default, and without TLS there is nothing to negotiate', async () => {
    await egress.client({ allowPrivate: true, tls }).request(url, {})
    expect(canary.requests[0]?.headers[':authority']).toBeUndefined()
    await using plain = await startCanary()
    expect(text(await client.request(plain.origin, {}))).toBe('ok')
  })

  it('S12: one certificate for two origins, and yet a connection for each', async () => {
    await using other = await startCanary(undefined, both)
    await client.request(url, { headers: { authorization: 'Bearer s3cret' } })
    await client.request(`https://localhost:${other.port}`, {})
    expect([canary.connections(), other.connections()]).toEqual([1, 1])
    expect(other.requests[0]?.headers['authorization']).toBeUndefined()
  })

  it('S12: a redirect to another origin takes no header along, and has a connection of its own', async () => {
    await using other = await startCanary(undefined, both)
    answer = (_request, response) =>
      response.writeHead(302, { location: `https://localhost:${other.port}` }).end()
    const headers = { authorization: 'Bearer s3cret', 'x-api-key': 's3cret', cookie: 's=3cret' }
    expect((await failure(client.request(url, { headers, redirect: 'same-origin' }))).code).toBe(
      'TOO_MANY_REDIRECTS',
    )
    expect(other.connections()).toBe(0)
    await client.request(url, { headers, redirect: 'any' })
    expect(JSON.stringify(other.requests)).not.toContain('3cret')
  })

  it.each([
    ['host', { host: 'evil.example' }],
    ['a line break', { 'x-a': 'b\r\nx-c: d' }],
    ['framing', { 'transfer-encoding': 'chunked' }],
    ['a wrong length', { 'content-length': '9' }],
    ['a pseudo-header', { ':authority': 'evil.example' }],
  ])('B-12, S12: a header with %s never leaves', async (_what, headers) => {
    const error = await failure(client.request(url, { method: 'POST', body: 'x', headers }))
    expect([error.code, error.data?.['sent'], canary.requests.length]).toEqual([
      'HEADER_NOT_ALLOWED',
      false,
      0,
    ])
  })
})

describe('one request among others', () => {
  it('an abort resets its stream, and the others on the connection live', async () => {
    const held: Array<() => void> = []
    answer = ({ url: path }, response) =>
      path === '/held' ? held.push(() => response.end('late')) : response.write('half')
    const others = [1, 2, 3].map(() => client.request(`${url}/held`, {}))
    const stop = new AbortController()
    let isReset = false
    canary.server.on('stream', (stream) => stream.on('aborted', () => (isReset = true)))
    const aborted = failure(
      client.request(`${url}/gone`, { signal: stop.signal, onHead: () => () => stop.abort() }),
    )
    expect((await aborted).code).toBe('CANCELLED')
    await until(() => isReset && held.length === 3)
    for (const release of held) release()
    expect((await Promise.all(others)).map(text)).toEqual(['late', 'late', 'late'])
    expect(canary.connections()).toBe(1)
  })

  it('R22: an endless stream is cut at its cap, a paused one holds the server back, and neither stops the rest', async () => {
    answer = ({ url: path }, response) => {
      if (path === '/small') return void response.end('ok')
      const pump = () => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384))) written += 16_384
        if (!response.destroyed) response.once('drain', pump)
      }
      pump()
    }
    let written = 0
    const paused = new AbortController()
    const held = failure(
      client.request(`${url}/endless`, {
        signal: paused.signal,
        bodyTimeoutMs: 50,
        onHead: (_head, stream) => () => stream.pause(),
      }),
    )
    await until(() => written > 200_000)
    let bytes = 0
    const count = (chunk: Buffer) => {
      bytes += chunk.length
    }
    const capped = await failure(
      client.request(`${url}/endless`, { responseBytesMax: 500_000, onHead: () => count }),
    )
    expect(capped.code).toBe('RESPONSE_TOO_LARGE')
    expect(bytes).toBeLessThanOrEqual(500_000)
    for (let at = 0; at < 50; at++) expect(text(await client.request(`${url}/small`, {}))).toBe('ok')
    expect(written).toBeLessThan(10_000_000)
    paused.abort()
    expect((await held).code).toBe('CANCELLED')
    expect(canary.connections()).toBe(1)
  })

  it('headers that do not come, and headers that are too large, are its own trouble', async () => {
    answer = ({ url: path }, response) => {
      if (path === '/large') response.writeHead(200, { 'x-a': 'b'.repeat(20_000) }).end()
    }
    const error = await failure(client.request(`${url}/never`, { headersTimeoutMs: 30 }))
    expect([error.code, error.data?.['sent']]).toEqual(['UPSTREAM_TIMEOUT', true])
    expect((await failure(client.request(`${url}/large`, {}))).code).toBe('RESPONSE_TOO_LARGE')
    expect((await failure(client.request(`${url}/never`, { totalTimeoutMs: 30 }))).code).toBe(
      'UPSTREAM_TIMEOUT',
    )
    await until(() => client.stats().health_checks_performed === 1)
    answer = (_request, response) => response.end('ok')
    expect(text(await client.request(url, {}))).toBe('ok')
    expect(client.stats()).toMatchObject({ connections_closed: 0, connection_errors: 0 })
  })

  it('the server’s bound on streams is kept; what does not fit waits on further connections or for its turn', async () => {
    await using narrow = await startCanary(undefined, { ...both, settings: { maxConcurrentStreams: 2 } })
    const few = egress.client({ allowPrivate: true, http2: true, tls, connectionsPerOrigin: 12 })
    const target = few.target(`https://localhost:${narrow.port}`)
    const all = await Promise.all(
      Array.from({ length: 24 }, () => target.request({ method: 'POST', body: 'x' })),
    )
    expect(all.map(text)).toEqual(new Array(24).fill('ok'))
    expect(narrow.requests).toHaveLength(24)
    expect(narrow.connections()).toBeLessThanOrEqual(12)
  })

  it('a server that allows no stream: bounded connections, a bounded wait, and nothing sent', async () => {
    await using shut = await startCanary(undefined, { ...both, settings: { maxConcurrentStreams: 0 } })
    const two = egress.client({
      allowPrivate: true,
      http2: true,
      tls,
      connectionsPerOrigin: 2,
      connectTimeoutMs: 500,
    })
    const target = two.target(`https://localhost:${shut.port}`)
    await failure(target.request({ headersTimeoutMs: 100 }))
    const error = await failure(target.request({ method: 'POST', body: 'x', headersTimeoutMs: 100 }))
    expect([error.code, error.data?.['sent']]).toEqual(['UPSTREAM_TIMEOUT', false])
    expect(shut.connections()).toBeLessThanOrEqual(2)
    expect(shut.requests).toHaveLength(0)
  })

  it('D1-087: a connection that breaks under ten requests is one error, and a stream that does is none', async () => {
    const onRequest: RawH2Script['onRequest'] = (say, stream) => {
      if (stream === 1) say.reset(stream, 2)
      if (stream === 21) say.socket.destroy()
    }
    await using server = await startRawH2(pair, { onRequest })
    const asked = await Promise.allSettled(
      Array.from({ length: 11 }, () => client.request(server.origin, { method: 'POST', body: 'x' })),
    )
    expect(asked.filter(({ status }) => status === 'rejected')).toHaveLength(11)
    expect(client.stats()).toMatchObject({ connection_errors: 1, connections_created: 1, total_requests: 11 })
  })
})

describe('R3: what the server says it did not read', () => {
  const withServer = async (script: RawH2Script, act: (origin: string) => Promise<unknown>) => {
    await using server = await startRawH2(pair, script)
    return { result: await act(server.origin), connections: server.connections(), pings: server.pings() }
  }
  const post = { method: 'POST', body: 'x' }
  const finish = (say: Parameters<RawH2Script['onRequest']>[0], stream: number) => {
    say.head(stream)
    say.data(stream, 'answer', true)
  }

  it('R3: GOAWAY below its stream: the request goes to a new connection, and is answered', async () => {
    const onRequest: RawH2Script['onRequest'] = (say, stream, connection) =>
      connection === 1 ? say.goAway(0) : finish(say, stream)
    const { result, connections } = await withServer({ onRequest }, (origin) =>
      client.request(origin, post).then(text),
    )
    expect([result, connections]).toEqual(['answer', 2])
  })

  it.each([
    ['refused', (say: Parameters<RawH2Script['onRequest']>[0], stream: number) => say.reset(stream, 7)],
    ['below every GOAWAY', (say: Parameters<RawH2Script['onRequest']>[0]) => say.goAway(0)],
    ['below every GOAWAY with an error', (say: Parameters<RawH2Script['onRequest']>[0]) => say.goAway(0, 11)],
  ])('R3: %s twice: not sent, and not tried a third time', async (_how, onRequest) => {
    let asked = 0
    const script = {
      onRequest: (...all: Parameters<RawH2Script['onRequest']>) => {
        asked++
        onRequest(all[0], all[1])
      },
    }
    const { result } = await withServer(script, (origin) => failure(client.request(origin, post)))
    const { code, data } = result as WeirError
    expect([code, data?.['sent'], asked]).toEqual(['UPSTREAM_UNREACHABLE', false, 2])
  })

  it.each([
    ['a GOAWAY at or above its stream, then the end of the socket', 1],
    ['no GOAWAY at all', undefined],
  ])('R3: %s: it may have been read, and is not sent again', async (_how, last) => {
    let asked = 0
    const script: RawH2Script = {
      onRequest: (say) => {
        asked++
        if (last !== undefined) say.goAway(last)
        say.socket.end()
      },
    }
    const { result } = await withServer(script, (origin) => failure(client.request(origin, post)))
    const { code, data } = result as WeirError
    expect([code, data?.['sent'], asked]).toEqual(['UPSTREAM_UNREACHABLE', true, 1])
  })

  it.each([
    ['with an error', 2],
    ['without one', 0],
  ])('R3: an answer cut short %s is no answer', async (_how, code) => {
    const onRequest: RawH2Script['onRequest'] = (say, stream) => {
      say.head(stream)
      say.data(stream, 'half')
      say.reset(stream, code)
    }
    const { result } = await withServer({ onRequest }, (origin) => failure(client.request(origin, {})))
    expect((result as WeirError).data).toMatchObject({ sent: true })
  })

  it('a connection that answers nothing, PINGs neither, is replaced', async () => {
    const script: RawH2Script = {
      answersPings: false,
      onRequest: (say, stream, connection) => {
        if (connection > 1) finish(say, stream)
      },
    }
    const hasty = egress.client({ allowPrivate: true, http2: true, tls, connectTimeoutMs: 1_000 })
    const { connections, pings } = await withServer(script, async (origin) => {
      await failure(hasty.request(origin, { headersTimeoutMs: 20 }))
      expect(text(await hasty.request(origin, {}))).toBe('answer')
      await until(() => hasty.stats().connections_closed === 1)
    })
    expect([connections, pings]).toEqual([2, 1])
    expect(hasty.stats()).toMatchObject({ health_checks_performed: 1 })
  })
})

describe('the end', () => {
  it('idle connections close by themselves, and closing the client closes the rest, streams under way too', async () => {
    const short = egress.client({ allowPrivate: true, http2: true, tls, idleTimeoutMs: 20 })
    await short.request(url, {})
    await until(() => canary.openSockets() === 0)
    answer = () => undefined
    const running = failure(client.request(url, {}))
    await until(() => canary.requests.length === 2)
    await Promise.all([client.close(), client.close()])
    expect([(await running).code, (await running).data?.['sent']]).toEqual(['CONNECTION_UNAVAILABLE', true])
    await until(() => canary.openSockets() === 0)
    expect(client.stats()).toMatchObject({ active_connections: 0, connections_closed: 1 })
  })

  it('a request given up before the connection stands frees its place', async () => {
    const single = egress.client({ allowPrivate: true, http2: true, tls, connectionsPerOrigin: 1 })
    const stop = new AbortController()
    const gone = failure(single.request(url, { signal: stop.signal }))
    stop.abort()
    expect((await gone).code).toBe('CANCELLED')
    expect(text(await single.request(url, {}))).toBe('ok')
    expect(canary.requests).toHaveLength(1)
  })
})
