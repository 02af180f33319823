import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'

/** One request as a canary saw it. */
export interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** A real server on loopback that remembers every connection, byte and request, so that tests see effects. */
export interface Canary extends AsyncDisposable {
  readonly port: number
  readonly origin: string
  readonly server: Server
  readonly requests: SeenRequest[]
  readonly connections: () => number
  /** Sockets that are open now. */
  readonly openSockets: () => number
  /** Resolves when a socket closes that was open at the call. */
  readonly socketClosed: () => Promise<unknown>
}

/** Answers 200 with `ok`, unless `listener` does otherwise. */
export async function startCanary(
  listener: RequestListener = (_request, response) => response.end('ok'),
  tls?: { key: string; cert: string },
): Promise<Canary> {
  const requests: SeenRequest[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const record: RequestListener = async (request, response) => {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer)
    } catch {
      return
    }
    const { method = '', url = '', headers } = request
    requests.push({ method, url, headers, body: Buffer.concat(chunks).toString() })
    listener(request, response)
  }
  const server = tls === undefined ? createServer(record) : createTlsServer(tls, record)
  server.on('connection', (socket: Socket) => {
    connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    origin: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    server,
    requests,
    connections: () => connections,
    openSockets: () => sockets.size,
    socketClosed: () => Promise.race([...sockets].map((socket) => once(socket, 'close'))),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A server of bytes: what is not HTTP needs one. */
export async function startRawServer(onConnection: (socket: Socket) => void) {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    onConnection(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
