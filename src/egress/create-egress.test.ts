import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { WeirError } from '../core/error.ts'
import { silentLogger } from '../core/logger.ts'
import { type Canary, startCanary, startRawServer } from './canary.fixture.ts'
import { createEgress } from './create-egress.ts'
import type { Egress, EgressRequest, ResponseStream } from './egress.ts'

let egress: Egress
let canary: Canary
let answer: RequestListener
beforeEach(async () => {
  egress = createEgress({ log: silentLogger })
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

describe('a streamed answer', () => {
  const eventStream: RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
  }

  it('one request takes JSON whole and an event stream in pieces, by what the server chose', async () => {
    const client = egress.client({ allowPrivate: true })
    const pieces: string[] = []
    const request: EgressRequest = {
      method: 'POST',
      onHead: ({ headers }) =>
        headers['content-type'] === 'text/event-stream' ? (chunk) => pieces.push(`${chunk}`) : undefined,
    }
    answer = (_request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    expect((await client.request(canary.origin, request)).body.toString()).toBe('{}')
    expect(pieces).toEqual([])

    answer = (_request, response) =>
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: 1\n\n')
    expect((await client.request(canary.origin, request)).body).toHaveLength(0)
    expect(pieces).toEqual(['data: 1\n\n'])
  })

  it('pieces arrive while the answer is under way, and an abort closes the socket', async () => {
    const client = egress.client({ allowPrivate: true })
    let closed: Promise<unknown> | undefined
    answer = (request, response) => {
      eventStream(request, response)
      closed = once(response, 'close')
      response.write('data: 1\n\n')
    }
    const stop = new AbortController()
    const error = await failure(
      client.request(canary.origin, { signal: stop.signal, onHead: () => () => stop.abort() }),
    )
    expect(error.code).toBe('CANCELLED')
    await closed
  })

  it('what a listener throws comes back as it is, and the socket closes', async () => {
    const client = egress.client({ allowPrivate: true })
    const enough = new Error('Enough.')
    let closed: Promise<unknown> | undefined
    answer = (request, response) => {
      eventStream(request, response)
      closed = once(response, 'close')
      response.write('data: 1\n\n')
    }
    const throwing = () => {
      throw enough
    }
    expect(await failure(client.request(canary.origin, { onHead: () => throwing }))).toBe(enough)
    await closed
    expect(await failure(client.request(canary.origin, { onHead: throwing }))).toBe(enough)
  })

  it('R22: an endless stream is cut at the caller’s cap', async () => {
    const client = egress.client({ allowPrivate: true })
    answer = (request, response) => {
      eventStream(request, response)
      const pump = () => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384))) {}
        if (!response.destroyed) response.once('drain', pump)
      }
      pump()
    }
    let bytes = 0
    const error = await failure(
      client.request(canary.origin, {
        responseBytesMax: 100_000,
        onHead: () => (chunk) => {
          bytes += chunk.length
        },
      }),
    )
    expect(error.code).toBe('RESPONSE_TOO_LARGE')
    expect(bytes).toBeLessThanOrEqual(100_000)
  })

  it('a paused stream holds the server back', async () => {
    const client = egress.client({ allowPrivate: true })
    let written = 0
    const total = 40_000_000
    answer = (request, response) => {
      eventStream(request, response)
      const pump = () => {
        while (written < total) {
          written += 1_000_000
          if (!response.write(Buffer.alloc(1_000_000))) {
            response.once('drain', pump)
            return
          }
        }
        response.end()
      }
      pump()
    }
    let stream: ResponseStream | undefined
    let received = 0
    const done = client.request(canary.origin, {
      responseBytesMax: Number.POSITIVE_INFINITY,
      onHead: (_head, opened) => {
        stream = opened
        return (chunk) => {
          if (received === 0) opened.pause()
          received += chunk.length
        }
      },
    })
    // How much fits between the two ends is the kernel's affair: it is full when nothing has moved for a while.
    for (let before = -1; received === 0 || written !== before; ) {
      before = written
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(written).toBeLessThan(total)
    stream?.resume()
    await done
    expect(received).toBe(total)
  })

  it('refuses a stream in an encoding', async () => {
    const client = egress.client({ allowPrivate: true })
    answer = (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x')
    expect((await failure(client.request(canary.origin, { onHead: () => () => {} }))).code).toBe(
      'UPSTREAM_ERROR',
    )
  })
})

describe('closing', () => {
  it('ends what is under way and what waits, refuses what comes, and leaves no socket', async () => {
    answer = () => {}
    const client = egress.client({ allowPrivate: true, connectionsPerOrigin: 1 })
    const running = failure(client.request(canary.origin, {}))
    const waiting = failure(client.request(canary.origin, {}))
    while (canary.requests.length === 0) await new Promise(setImmediate)
    const gone = canary.socketClosed()
    await Promise.all([client.close(), client.close()])
    await gone
    expect(canary.openSockets()).toBe(0)
    expect((await running).data).toMatchObject({ sent: true })
    expect((await waiting).data).toMatchObject({ sent: false })
    for (const error of [await running, await waiting, await failure(client.request(canary.origin, {}))]) {
      expect(error.code).toBe('CONNECTION_UNAVAILABLE')
    }
  })

  it('waits for what is under way as long as it was told to', async () => {
    let release = () => {}
    answer = (_request, response) => {
      release = () => response.end('late')
    }
    const client = egress.client({ allowPrivate: true })
    const running = client.request(canary.origin, {})
    while (canary.requests.length === 0) await new Promise(setImmediate)
    const closing = client.close(10_000)
    release()
    expect((await running).body.toString()).toBe('late')
    await closing
  })

  it('leaves no socket that was still connecting', async () => {
    let open = 0
    let connected = () => {}
    const isConnected = new Promise<void>((resolve) => {
      connected = resolve
    })
    let closed: Promise<unknown> | undefined
    await using raw = await startRawServer((socket) => {
      open++
      closed = once(socket, 'close').then(() => open--)
      connected()
    })
    const client = egress.client({ allowPrivate: true, connectTimeoutMs: 60_000 })
    // A TLS handshake that nobody answers.
    const pending = failure(client.request(raw.origin.replace('http:', 'https:'), {}))
    await isConnected
    await client.close()
    await closed
    expect(open).toBe(0)
    expect((await pending).code).toBe('CONNECTION_UNAVAILABLE')
  })
})

describe('origins', () => {
  it('at most 256 are kept; a target outlives the eviction of its sockets', async () => {
    answer = (_request, response) => response.end('ok')
    const lookup = (_host: string, _options: object, done: (...all: unknown[]) => void) =>
      done(null, [{ address: '127.0.0.1', family: 4 }])
    const client = createEgress({ log: silentLogger, lookup: lookup as never }).client({ allowPrivate: true })
    const first = client.target(`http://first.example:${canary.port}`)
    await first.request({})
    expect(canary.openSockets()).toBe(1)
    const gone = canary.socketClosed()
    for (let at = 0; at < 256; at++) {
      await failure(client.request(`http://host${at}.example:1/`, {}))
    }
    await gone
    expect((await first.request({})).status).toBe(200)
    await client.close()
  })
})
