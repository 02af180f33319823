import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Says on stdout where a benchmark's server listens, in the line that `startServer` waits for. */
export function announce(url: string): void {
  process.stdout.write(`${JSON.stringify({ event: 'listening', url })}\n`)
}

/** Ends this process when the one that started it is gone: its end of our stdin closes. */
export function endWithParent(): void {
  process.stdin.resume().on('end', () => process.exit())
}

/** Listens on a free loopback port, announces `/mcp` there, and ends with the parent. */
export function serveOnLoopback(server: Server): void {
  endWithParent()
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    announce(`http://127.0.0.1:${port}/mcp`)
  })
}
