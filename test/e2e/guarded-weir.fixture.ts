import { createHmac, hash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { type IncomingHttpHeaders, request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { embedWeir } from '../../src/app.ts'
import { silentLogger } from '../../src/core/logger.ts'
import type { ApiKey } from '../../src/core/stores.ts'
import { createPair, serveKeys, signToken } from '../../src/frontends/shared/identity/issuer.fixture.ts'
import { openStore } from '../../src/store/open-store.ts'

const issuer = 'https://id.example'
export const keyOf = (name: string) => `mcp_${hash('sha256', name, 'hex')}`

/** A server that keeps every byte that reaches it, and answers each request with an empty object. */
async function recordBytes() {
  let text = ''
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      socket.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    text: () => text,
    close: () => server.close(),
  }
}

/** Sends one request as it is told to, whatever a browser or a client library would think of it. */
export function sendRaw(
  url: string,
  options: { method: string; path: string; headers: Readonly<Record<string, string>>; body?: string },
): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }> {
  const { method, path, headers, body } = options
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, url), { method, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

function configOf(upstream: string, jwksUrl: string) {
  return {
    connections: {
      database: { type: 'sql', databases: { shop: { url: 'sqlite:./shop.db', write: true } } },
      api: {
        type: 'http',
        apis: { shop: { baseUrl: upstream, description: 'A shop.', allowPrivate: true } },
      },
      far: { type: 'mcp', url: `${upstream}/mcp`, allowPrivate: true },
    },
    roles: {
      writer: { allow: ['*'] },
      reader: { allow: ['tool:database:get_schema', 'tool:database:fetch_*'] },
      operator: { allow: ['admin:metrics'] },
    },
    policies: { 'api:api_batch_request': { deny: true } },
    auth: {
      apiKeys: true,
      jwt: [{ name: 'corp', issuer, audience: 'weir', jwksUrl, allowPrivate: true }],
    },
    store: { url: 'sqlite:weir.db' },
    server: { port: 0 },
    log: { level: 'silent' },
  }
}

/** A Weir with authentication, a database whose rows tell what was done, and upstreams that keep every byte. */
export async function openGuardedWeir() {
  const dir = mkdtempSync(join(tmpdir(), 'weir-guarded-'))
  const shop = join(dir, 'shop.db')
  const database = new DatabaseSync(shop)
  database.exec('create table orders (id integer primary key, note text)')
  const [pair, stranger] = [createPair('k1'), createPair('k2')]
  const keys = await serveKeys([pair])
  const upstream = await recordBytes()
  const store = await openStore({ url: 'sqlite:weir.db', baseDir: dir, log: silentLogger })
  const putKey = (name: string, changed: Partial<ApiKey> = {}) =>
    store.apiKeys.put([
      {
        ...{ hash: hash('sha256', keyOf(name), 'hex'), id: name, name, roles: [name], tenant: 'default' },
        ...{ createdAt: Date.now(), createdBy: 'test', ...changed },
      },
    ])
  await putKey('writer')
  await putKey('reader')
  await putKey('operator')
  await putKey('revoked', { roles: ['writer'], endsAt: Date.now() - 1 })
  const weir = embedWeir({ baseDir: dir, config: configOf(upstream.url, keys.url) })
  const { url, routes } = await weir.listen()
  await weir.catalog.settled(5_000)

  const nowS = Math.floor(Date.now() / 1_000)
  const claims = { iss: issuer, aud: 'weir', sub: 'bob', roles: ['writer'], exp: nowS + 600 }
  const sign = (changed: object = {}, key = pair.privateKey) =>
    signToken(key, { ...claims, ...changed }, { kid: 'k1' })
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signWithPublicKey = () => {
    const text = `${part({ alg: 'HS256', kid: 'k1' })}.${part(claims)}`
    const pem = pair.publicKey.export({ type: 'spki', format: 'pem' })
    return `${text}.${createHmac('sha256', pem).update(text).digest('base64url')}`
  }
  return {
    ...{ weir, url, routes, upstream, sign, signWithPublicKey, putKey },
    unsigned: `${part({ alg: 'none' })}.${part(claims)}.`,
    forged: await sign({}, stranger.privateKey),
    nowS,
    rows: () => (database.prepare('select count(*) as n from orders').get() as { n: number }).n,
    async close() {
      await weir.close(0)
      await store.close()
      await keys.close()
      upstream.close()
      database.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
