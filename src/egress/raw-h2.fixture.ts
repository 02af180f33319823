import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import type { Pair } from './certificates.fixture.ts'

const types = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7 } as const
const prefaceBytes = 24
const headBytes = 9

/** What a scripted server may say; `stream` is the number of the request's stream. */
export interface RawH2 {
  /** `:status: 200` and `content-length: 6`. */
  head(stream: number): void
  data(stream: number, text: string, isLast?: boolean): void
  reset(stream: number, code: number): void
  goAway(lastStream: number, code?: number): void
  readonly socket: TLSSocket
}

/** What a scripted server does. `connection` counts from 1. */
export interface RawH2Script {
  onRequest(say: RawH2, stream: number, connection: number): void
  /** Answers PINGs unless false. */
  readonly answersPings?: boolean
}

/** A server of HTTP/2 frames, for what Node's own server never says. */
export async function startRawH2(pair: Pair, script: RawH2Script) {
  const sockets = new Set<TLSSocket>()
  let pings = 0
  const server = createServer({ ...pair, ALPNProtocols: ['h2'] }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    const connection = sockets.size
    const say = speak(socket)
    socket.write(frame(types.settings, 0, 0, Buffer.alloc(0)))
    let rest = Buffer.alloc(0)
    let isOpen = false
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk])
      if (!isOpen && rest.length >= prefaceBytes) {
        rest = rest.subarray(prefaceBytes)
        isOpen = true
      }
      while (isOpen && rest.length >= headBytes && rest.length >= headBytes + rest.readUIntBE(0, 3)) {
        const [length, type, flags] = [rest.readUIntBE(0, 3), rest[3], rest[4]!]
        const [stream, payload] = [rest.readUInt32BE(5), rest.subarray(headBytes, headBytes + length)]
        rest = rest.subarray(headBytes + length)
        if (type === types.settings && (flags & 1) === 0)
          socket.write(frame(types.settings, 1, 0, Buffer.alloc(0)))
        if (type === types.headers) script.onRequest(say, stream, connection)
        if (type !== types.ping || (flags & 1) === 1) continue
        pings++
        if (script.answersPings !== false) socket.write(frame(types.ping, 1, 0, payload))
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `https://localhost:${(server.address() as AddressInfo).port}`,
    connections: () => sockets.size,
    pings: () => pings,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function speak(socket: TLSSocket): RawH2 {
  return {
    socket,
    // From HPACK's static table: `:status: 200`, and `content-length` with a value; the flag ends the headers.
    head: (stream) => socket.write(frame(types.headers, 4, stream, Buffer.from([0x88, 0x0f, 0x0d, 1, 0x36]))),
    data: (stream, text, isLast = false) =>
      socket.write(frame(types.data, isLast ? 1 : 0, stream, Buffer.from(text))),
    reset: (stream, code) => socket.write(frame(types.reset, 0, stream, words(code))),
    goAway: (lastStream, code = 0) => socket.write(frame(types.goAway, 0, 0, words(lastStream, code))),
  }
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(headBytes)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value, 4 * at)
  return bytes
}
