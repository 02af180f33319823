import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How the API behaves: as it should, or as broken ones do. */
export const moods = ['well', 'refuses', 'hangs', 'resets', 'half', 'throttles', 'slow'] as const
export type Mood = (typeof moods)[number]

/** An HTTP API that answers `GET /echo?nonce=…` with the nonce, in whatever mood it is. */
export interface MoodyApi {
  readonly url: string
  mood: Mood
  close(): void
}

const slowMs = 400

/** Listens on a free port. */
export async function startMoodyApi(): Promise<MoodyApi> {
  const state: { mood: Mood } = { mood: 'well' }
  const server = createServer((request, response) => {
    const nonce = new URL(request.url ?? '/', 'http://api').searchParams.get('nonce')
    const text = JSON.stringify({ nonce })
    const answer = () => response.writeHead(200, { 'content-type': 'application/json' }).end(text)
    switch (state.mood) {
      case 'well':
        return void answer()
      case 'slow':
        return void setTimeout(answer, slowMs)
      case 'refuses':
        return void response.writeHead(503).end()
      case 'throttles':
        return void response.writeHead(429, { 'retry-after': '1' }).end()
      case 'resets':
        return void request.socket.resetAndDestroy()
      case 'half':
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length })
        return void response.write(text.slice(0, 5), () => request.socket.destroy())
      case 'hangs':
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(state, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  })
}
