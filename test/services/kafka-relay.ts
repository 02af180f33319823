import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

const host = '127.0.0.1'
const apiKeys = { metadata: 3, findCoordinator: 10, apiVersions: 18 }
/** The mock's reply to ListOffsets v5 is malformed; a client that is told of v3 at most never asks for it. */
const versionsMax: ReadonlyMap<number, number> = new Map([[2, 3]])

/** A request as far as its reply depends on it. */
interface Request {
  readonly apiKey: number
  readonly apiVersion: number
}

/** Relays to the mock broker on `port`, under its own address: replies that name the broker name the relay instead. */
export function startKafkaRelay(port: number): Server {
  const server = createServer((client) => {
    const broker = connect(port, host)
    const requests = new Map<number, Request>()
    forward(client, broker, (frame) => {
      const request = { apiKey: frame.readInt16BE(4), apiVersion: frame.readInt16BE(6) }
      requests.set(frame.readInt32BE(8), request)
    })
    forward(broker, client, (frame) => {
      const id = frame.readInt32BE(4)
      const request = requests.get(id)
      requests.delete(id)
      if (request !== undefined) correct(frame, request, port, (server.address() as AddressInfo).port)
    })
  })
  return server.listen(0, host)
}

/** Passes on whole frames, each four bytes of length and that much more, after `look` has seen or changed it. */
function forward(from: Socket, to: Socket, look: (frame: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  from.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const frame = Buffer.from(rest.subarray(0, 4 + rest.readInt32BE(0)))
      rest = rest.subarray(frame.length)
      look(frame)
      to.write(frame)
    }
  })
  from.on('error', () => to.destroy())
  from.on('close', () => to.destroy())
}

function correct(frame: Buffer, { apiKey, apiVersion }: Request, broker: number, relay: number): void {
  if (apiKey === apiKeys.apiVersions) capVersions(frame, apiVersion)
  if (apiKey === apiKeys.metadata || apiKey === apiKeys.findCoordinator) renamePort(frame, broker, relay)
}

/** After length, correlation id and error code: entries of key, least and greatest version; from v3 on in compact form. */
function capVersions(frame: Buffer, apiVersion: number): void {
  if (frame.readInt16BE(8) !== 0) return
  const isCompact = apiVersion >= 3
  const count = isCompact ? frame.readUInt8(10) - 1 : frame.readInt32BE(10)
  const [first, size] = isCompact ? [11, 7] : [14, 6]
  for (let at = first, left = count; left > 0; at += size, left--) {
    const cap = versionsMax.get(frame.readInt16BE(at))
    if (cap !== undefined) frame.writeInt16BE(Math.min(cap, frame.readInt16BE(at + 4)), at + 4)
  }
}

/** A broker's port stands right behind its host's name. */
function renamePort(frame: Buffer, broker: number, relay: number): void {
  const name = Buffer.from(host)
  for (let at = frame.indexOf(name); at >= 0; at = frame.indexOf(name, at + 1)) {
    const end = at + name.length
    if (end + 4 <= frame.length && frame.readInt32BE(end) === broker) frame.writeInt32BE(relay, end)
  }
}
