import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { startKafkaRelay } from '../../../../test/services/kafka-relay.ts'
import type { Relay } from '../relay.fixture.ts'

/** A way to Kafka that can be cut. Kafka tells its clients where it is, so they must be told of the relay instead. */
export async function openKafkaRelay(url: string): Promise<Relay> {
  const sockets = new Set<Socket>()
  let state: 'open' | 'cut' | 'frozen' = 'open'
  const server = startKafkaRelay(Number(new URL(url).port))
  server.on('connection', (socket) => {
    if (state === 'cut') socket.resetAndDestroy()
    else sockets.add(socket)
    if (state === 'frozen') socket.pause()
    socket.on('close', () => sockets.delete(socket))
  })
  await once(server, 'listening')
  const breakAll = () => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return {
    url: `kafka://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return sockets.size
    },
    cut() {
      state = 'cut'
      breakAll()
    },
    freeze() {
      state = 'frozen'
      for (const socket of sockets) socket.pause()
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
