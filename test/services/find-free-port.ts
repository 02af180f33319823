import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/** A port of 127.0.0.1 that nothing listens on just now, with nothing on the `more` ports after it. */
export async function findFreePort(more = 0): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const first = await tryPort(0)
    if (first === undefined || first + more > 65_535) continue
    const rest = await Promise.all(Array.from({ length: more }, (_, index) => tryPort(first + 1 + index)))
    if (rest.every((port) => port !== undefined)) return first
  }
  throw new Error(`No ${more + 1} free ports were found in a row.`)
}

async function tryPort(port: number): Promise<number | undefined> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  } catch {
    return undefined
  } finally {
    if (server.listening) {
      server.close()
      await once(server, 'close')
    }
  }
}
