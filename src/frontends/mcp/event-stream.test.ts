import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type EventStream, openEventStream } from './event-stream.ts'
import { modernMeta, modernRequest } from './gateway.fixture.ts'

const mebibyte = 1024 * 1024
const quick = { heartbeatMs: 40, stallMs: 250 }
const patient = { heartbeatMs: 15_000, stallMs: 30_000 }

describe('an event stream', () => {
  let server: Server
  let port = 0
  let times = quick
  const sockets: Socket[] = []
  beforeAll(async () => {
    server = createServer((_request, response) => {
      server.emit('opened', response, openEventStream(response, { 'x-more': '1' }, times))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  })
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy()
  })
  afterAll(() => server.close())

  /** A reader, paused until the test lets it read. */
  async function open(): Promise<{ socket: Socket; response: ServerResponse; stream: EventStream }> {
    const opened = once(server, 'opened')
    const socket = connect(port, '127.0.0.1').pause()
    sockets.push(socket)
    socket.on('error', () => {})
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    const [response, stream] = (await opened) as [ServerResponse, EventStream]
    return { socket, response, stream }
  }

  /** Speaks until nothing more goes out; each message is 16 KiB. */
  async function fill(stream: EventStream, response: ServerResponse, messages: number): Promise<number> {
    let mostBytes = 0
    for (let count = 0; count < messages; count += 1) {
      stream.notify(JSON.stringify('x'.repeat(16_000)))
      mostBytes = Math.max(mostBytes, response.writableLength)
      if (count % 20 === 0) await nextTurn()
    }
    return mostBytes
  }

  it('R21: holds at most 1 MiB for a reader that does not read, and drops the rest', async () => {
    const { response, stream } = await open()
    const mostBytes = await fill(stream, response, 2_000)
    expect(mostBytes).toBeGreaterThan(mebibyte / 2)
    expect(mostBytes).toBeLessThanOrEqual(mebibyte)
  })

  it('R21: drops a single message that is larger than that, and keeps an answer of any size', async () => {
    const { response, socket, stream } = await open()
    stream.notify(JSON.stringify('n'.repeat(2 * mebibyte)))
    expect(response.writableLength).toBeLessThan(mebibyte)
    stream.end(JSON.stringify('a'.repeat(3 * mebibyte)))
    stream.end('twice')
    stream.notify('late')
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.resume()
    await once(response, 'finish')
    while (!text.endsWith('0\r\n\r\n')) await once(socket, 'data')
    expect(text.match(/a{100}/g)?.length).toBeGreaterThan(31_000)
    expect(text).not.toContain('nnnn')
    expect(text).not.toContain('late')
  })

  it('R21: holds at most 32 MiB for all readers together', async () => {
    times = patient
    const readers: Awaited<ReturnType<typeof open>>[] = []
    for (let at = 0; at < 60; at += 1) readers.push(await open())
    times = quick
    for (const { stream, response } of readers) await fill(stream, response, 400)
    const waiting = readers.reduce((sum, { response }) => sum + response.writableLength, 0)
    expect(waiting).toBeGreaterThan(16 * mebibyte)
    expect(waiting).toBeLessThanOrEqual(32 * mebibyte)
  })

  it('R21: cuts a reader that takes nothing for the whole wait, with an answer pending or not', async () => {
    for (const answer of [undefined, JSON.stringify('a'.repeat(9 * mebibyte))]) {
      const { response, stream } = await open()
      await fill(stream, response, 1_000)
      const closed = once(response, 'close')
      const waitedFrom = performance.now()
      if (answer !== undefined) stream.end(answer)
      await closed
      expect(performance.now() - waitedFrom).toBeGreaterThan(times.stallMs / 2)
      expect(response.writableFinished).toBe(false)
    }
  })

  it('is kept open by heartbeats while it is quiet, for far longer than that', async () => {
    const { response, socket, stream } = await open()
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.resume()
    while ((text.match(/:\n\n/g)?.length ?? 0) < 10) await once(socket, 'data')
    expect(response.destroyed).toBe(false)
    stream.notify('{"a":1}')
    stream.end()
    while (!text.endsWith('0\r\n\r\n')) await once(socket, 'data')
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n(?:.+\r\n)*x-more: 1\r\n/i)
    expect(text).toContain('event: message\ndata: {"a":1}\n\n')
  })
})

describe('R21: 200 clients that ask for progress and do not read', () => {
  it('R21: keep at most 50 MiB alive in the gateway, and others are served meanwhile', {
    timeout: 60_000,
  }, async () => {
    const child = fork(new URL('./gateway-child.fixture.ts', import.meta.url), { execArgv: ['--expose-gc'] })
    const sockets: Socket[] = []
    try {
      const [{ port }] = (await once(child, 'message')) as [{ port: number }]
      const measure = async () => {
        child.send('measure')
        return ((await once(child, 'message')) as [{ liveBytes: number }])[0].liveBytes
      }
      await readAll(port, { count: 100, bytes: 50_000 })
      const before = await measure()
      for (let at = 0; at < 200; at += 1)
        sockets.push((await callOver(port, { count: 250, bytes: 50_000 })).socket)
      await readAll(port, { count: 1, bytes: 1 })
      const grownBytes = (await measure()) - before
      expect(grownBytes).toBeLessThan(50 * mebibyte)
    } finally {
      for (const socket of sockets) socket.destroy()
      child.kill()
      await once(child, 'exit')
    }
  })
})

/** Calls `flood` and reads nothing of what comes. */
async function callOver(port: number, input: object): Promise<{ socket: Socket }> {
  const _meta = modernMeta({ progressToken: 1 })
  const { headers, body } = modernRequest('tools/call', { name: 'probe__flood', arguments: input, _meta })
  const text = JSON.stringify(body)
  const all = {
    host: 'localhost',
    connection: 'close',
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    'content-length': String(text.length),
    ...headers,
  }
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  const socket = connect(port, '127.0.0.1').pause()
  await once(socket, 'connect')
  socket.write(`POST /mcp HTTP/1.1\r\n${head.join('')}\r\n${text}`)
  return { socket }
}

async function readAll(port: number, input: object): Promise<void> {
  const { socket } = await callOver(port, input)
  socket.resume()
  await once(socket, 'end')
}
