import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** For tests: stands between Weir and a database server, and can be the network that fails. */
export interface Relay {
  readonly port: number
  /** Sees what a client sends before it is passed on; `false` holds it back for ever. */
  onClientData: (chunk: Buffer, cut: () => void) => boolean
  /** Sees what the server answers before it is passed on; `false` holds it back for ever. */
  onServerData: (chunk: Buffer, cut: () => void) => boolean
  /** Breaks every connection without a word, and says how many there were. */
  cutAll(): number
  /** Takes connections no longer, as a server that is down. */
  stop(): Promise<void>
  /** Takes them again, on the same port. */
  start(): Promise<void>
}

/** Starts a relay to the server of this URL. */
export async function startRelay(url: string): Promise<Relay> {
  const { hostname, port } = new URL(url)
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    const cut = () => {
      client.resetAndDestroy()
      upstream.resetAndDestroy()
    }
    sockets.add(client)
    client.on('close', () => sockets.delete(client))
    client.on('data', (chunk: Buffer) => relay.onClientData(chunk, cut) && upstream.write(chunk))
    upstream.on('data', (chunk: Buffer) => relay.onServerData(chunk, cut) && client.write(chunk))
    for (const [one, other] of [[client, upstream] as const, [upstream, client] as const]) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
  })
  const start = (at: number) => new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve))
  await start(0)
  const { port: own } = server.address() as AddressInfo
  const relay: Relay = {
    port: own,
    onClientData: () => true,
    onServerData: () => true,
    cutAll() {
      const count = sockets.size
      for (const socket of sockets) socket.resetAndDestroy()
      return count
    },
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      relay.cutAll()
      await closed
    },
    start: () => start(own),
  }
  return relay
}
