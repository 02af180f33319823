import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way to a real broker that can be cut. */
export interface Relay {
  /** The broker's URL, by way of the relay. */
  readonly url: string
  /** How many connections go through it. */
  readonly connections: number
  /** Breaks every connection, and refuses new ones. */
  cut(): void
  /** Lets nothing through in either direction, while connections stay up. */
  freeze(): void
  mend(): void
  close(): Promise<void>
}

/** Stands before the server of `url` on a port of its own. */
export async function openRelay(url: string, defaultPort: number): Promise<Relay> {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  let state: 'open' | 'cut' | 'frozen' = 'open'
  const server = createServer((from) => {
    if (state === 'cut') {
      from.resetAndDestroy()
      return
    }
    const to = connect(Number(target.port || defaultPort), target.hostname)
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(one)
      one.on('data', (data) => state !== 'frozen' && other.write(data))
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const through = new URL(url)
  through.hostname = '127.0.0.1'
  through.port = String((server.address() as AddressInfo).port)
  const breakAll = () => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return {
    url: through.href,
    get connections() {
      return sockets.size / 2
    },
    cut() {
      state = 'cut'
      breakAll()
    },
    freeze() {
      state = 'frozen'
    },
    mend() {
      if (state === 'frozen') breakAll()
      state = 'open'
    },
    async close() {
      server.close()
      breakAll()
      await once(server, 'close')
    },
  }
}
