import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createSecureServer, type SecureServerOptions } from 'node:http2'
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
  /** Sockets that are open now. */
  readonly sockets: ReadonlySet<Socket>
  readonly connections: () => number
  /** How many of them. */
  readonly openSockets: () => number
  /** Resolves when a socket closes that was open at the call. */
  readonly socketClosed: () => Promise<unknown>
}

/** Answers 200 with `ok`, unless `listener` does otherwise. */
export async function startCanary(
  listener: RequestListener = (_request, response) => response.end('ok'),
  tls?: SecureServerOptions,
  { host = '127.0.0.1', port = 0 } = {},
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
  const server = listenWith(record, tls)
  server.on('connection', (socket: Socket) => {
    connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(port, host)
  await once(server, 'listening')
  const at = (server.address() as AddressInfo).port
  return {
    port: at,
    origin: `${tls === undefined ? 'http' : 'https'}://${host}:${at}`,
    server,
    sockets,
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

/** HTTP, HTTPS, or with `allowHTTP1` both HTTP/2 and HTTP/1.1 over TLS. */
function listenWith(record: RequestListener, tls: SecureServerOptions | undefined): Server {
  if (tls === undefined) return createServer(record)
  if (tls.allowHTTP1 === undefined) return createTlsServer(tls, record)
  // Node's HTTP/2 server has the same requests and responses for those who ask no more of them.
  const server = createSecureServer(tls, record as never)
  server.on('sessionError', () => undefined)
  return server as unknown as Server
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
