// A network between two ends of loopback: every byte takes half the round trip in each direction, in order.
import { createServer, connect as dial, type Socket } from 'node:net'
import { parseArgs } from 'node:util'
import { announce, endWithParent } from '../harness/announce.ts'

const { values } = parseArgs({
  options: { to: { type: 'string', default: '' }, 'rtt-ms': { type: 'string', default: '0' } },
})
const oneWayMs = Number(values['rtt-ms']) / 2

interface Piece {
  readonly dueMs: number
  /** Undefined: the end of the stream. */
  readonly bytes: Buffer | undefined
}

/** Hands on what `from` says, each piece at its own time, and never one before another. */
function carry(from: Socket, to: Socket, notBeforeMs: number): void {
  const pieces: Piece[] = []
  let isArmed = false
  const send = () => {
    isArmed = false
    while (pieces.length > 0 && pieces[0]!.dueMs <= performance.now()) {
      const { bytes } = pieces.shift()!
      if (bytes === undefined) to.end()
      else to.write(bytes)
    }
    arm()
  }
  const arm = () => {
    if (isArmed || pieces.length === 0) return
    isArmed = true
    setTimeout(send, Math.max(0, pieces[0]!.dueMs - performance.now()))
  }
  const take = (bytes: Buffer | undefined) => {
    if (oneWayMs > 0) {
      pieces.push({ dueMs: Math.max(performance.now(), notBeforeMs) + oneWayMs, bytes })
      arm()
    } else if (bytes === undefined) to.end()
    else to.write(bytes)
  }
  from.on('data', take)
  from.on('end', () => take(undefined))
}

endWithParent()
const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
  const far = dial({ host: '127.0.0.1', port: Number(values.to), allowHalfOpen: true, noDelay: true })
  for (const [one, other] of [
    [near, far],
    [far, near],
  ] as const) {
    one.on('error', () => other.destroy())
  }
  // Loopback answers TCP's own handshake at once; a network takes a round trip for it.
  carry(near, far, performance.now() + 2 * oneWayMs)
  carry(far, near, 0)
})
server.listen(0, '127.0.0.1', () => {
  announce(`https://localhost:${(server.address() as { port: number }).port}/`)
})
