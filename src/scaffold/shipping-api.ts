import { randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Shop } from './shop.ts'

/** The sample's HTTP API while it runs. */
export interface ShippingApi {
  /** Where it listens: loopback, a free port. */
  readonly baseUrl: string
  /** What every request must carry as its bearer token; a new one at every start. */
  readonly token: string
  close(): Promise<void>
}

interface Shipment {
  readonly id: number
  readonly order_id: number
  readonly carrier: string
  readonly status: string
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

const bodyBytesMax = 16 * 1024
/** Shipments it keeps; it lives in memory, and callers are programs that may loop. */
const shipmentsMax = 1_500
const pageSizeMax = 100
const carriers = ['north-post', 'swift-parcel', 'cargo-bike']

/** Starts a small shipping and inventory API over the shop, so that the sample has a real HTTP system with a real credential. */
export async function startShippingApi(shop: Shop): Promise<ShippingApi> {
  const token = randomBytes(24).toString('base64url')
  const routes = createRoutes(shop)
  const server = createServer((request, response) => {
    answer(request, token, routes).then(
      (reply) => send(response, reply),
      () => send(response, { status: 500, body: { error: 'the sample API failed' } }),
    )
  })
  await listen(server)
  // The sample never keeps a process alive that has nothing else to do.
  server.unref()
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    token,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve())
  })
}

async function answer(request: IncomingMessage, token: string, routes: Routes): Promise<Answer> {
  if (!isAuthorized(request.headers.authorization, token)) {
    return { status: 401, body: { error: 'a bearer token is required' } }
  }
  const url = new URL(request.url ?? '/', 'http://sample.invalid')
  const path = url.pathname.replace(/^\/v1\/?|\/$/g, '').split('/')
  const text = await readBody(request)
  if (text === undefined) return { status: 413, body: { error: `at most ${bodyBytesMax} bytes` } }
  const route = routes[`${request.method} ${path[0]}${path.length > 1 ? '/…' : ''}`]
  return route?.(path[1] ?? '', url.searchParams, text) ?? notFound
}

function isAuthorized(header: string | undefined, token: string): boolean {
  const [given, wanted] = [Buffer.from(header ?? ''), Buffer.from(`Bearer ${token}`)]
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length <= bodyBytesMax) chunks.push(chunk)
  }
  return length > bodyBytesMax ? undefined : Buffer.concat(chunks).toString('utf8')
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

const notFound: Answer = { status: 404, body: { error: 'there is no such thing' } }

type Route = (id: string, query: URLSearchParams, body: string) => Answer
type Routes = Readonly<Record<string, Route | undefined>>

function createRoutes(shop: Shop): Routes {
  const shipped = shop.orders.filter(({ status }) => ['shipped', 'delivered'].includes(status))
  const shipments: Shipment[] = shipped.map(({ id, status }, index) => ({
    id: index + 1,
    order_id: id,
    carrier: carriers[index % carriers.length]!,
    status: status === 'shipped' ? 'in_transit' : status,
  }))
  return {
    'GET ': () => ({ status: 200, body: { service: 'shipping', paths: ['/shipments', '/inventory'] } }),
    'GET shipments': (_id, query) => ({ status: 200, body: listShipments(shipments, query) }),
    'GET shipments/…': (id) => found(shipments.find((shipment) => String(shipment.id) === id)),
    'POST shipments': (_id, _query, body) => addShipment(shop, shipments, body),
    'GET inventory': () => ({ status: 200, body: { products: shop.products } }),
    'GET inventory/…': (sku) => found(shop.products.find((product) => product.sku === sku)),
  }
}

function found(thing: unknown): Answer {
  return thing === undefined ? notFound : { status: 200, body: thing }
}

function listShipments(shipments: readonly Shipment[], query: URLSearchParams): unknown {
  const [orderId, status] = [query.get('order_id'), query.get('status')]
  const matching = shipments.filter(
    (shipment) =>
      (orderId === null || String(shipment.order_id) === orderId) &&
      (status === null || shipment.status === status),
  )
  return { total: matching.length, shipments: matching.slice(0, pageSizeMax) }
}

function addShipment(shop: Shop, shipments: Shipment[], text: string): Answer {
  const { order_id: orderId, carrier = carriers[0]! } = readObject(text)
  if (!shop.orders.some(({ id }) => id === orderId)) {
    return { status: 422, body: { error: 'order_id must be the id of an order' } }
  }
  if (typeof carrier !== 'string' || !carriers.includes(carrier)) {
    return { status: 422, body: { error: `carrier must be one of ${carriers.join(', ')}` } }
  }
  if (shipments.length >= shipmentsMax) {
    return { status: 507, body: { error: 'the sample keeps no more shipments' } }
  }
  const shipment = { id: shipments.length + 1, order_id: orderId as number, carrier, status: 'announced' }
  shipments.push(shipment)
  return { status: 201, body: shipment }
}

function readObject(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>
  } catch {
    return {}
  }
}
