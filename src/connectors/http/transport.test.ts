import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createSecureServer } from 'node:http2'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { renderError } from '../../core/error.ts'
import { callApi, createWorld, failure } from './http.fixture.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-tls-'))
const file = (name: string) => join(folder, name)
const pem = (name: string) => readFileSync(file(name), 'utf8')
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })

/** A certificate of our own authority for `name`. */
function issue(name: string): void {
  openssl(
    'req',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
    '-subj',
    `/CN=${name}`,
  )
  writeFileSync(file(`${name}.ext`), `subjectAltName=DNS:${name},IP:127.0.0.1\n`)
  openssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    '-CA',
    'ca.crt',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '2',
    '-out',
    `${name}.crt`,
    '-extfile',
    `${name}.ext`,
  )
}

beforeAll(() => {
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '2',
    '-subj',
    '/CN=test authority',
  )
  for (const name of ['server', 'weir']) issue(name)
  openssl('ec', '-in', 'weir.key', '-aes256', '-passout', 'pass:0pen', '-out', 'weir.locked.key')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let world: Awaited<ReturnType<typeof createWorld>>
const servers: { close(): void; closeAllConnections?(): void }[] = []
beforeEach(async () => {
  world = await createWorld()
})
afterEach(async () => {
  await world.close()
  for (const server of servers.splice(0)) {
    server.closeAllConnections?.()
    server.close()
  }
})

const listen = async (server: Server) => {
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`
}
const open = (baseUrl: string, more: Record<string, unknown>) =>
  world.open({ crm: { baseUrl, allowPrivate: true, ...more } })

describe('mutual TLS of an API', () => {
  const startMutual = () => {
    const options = {
      key: pem('server.key'),
      cert: pem('server.crt'),
      ca: pem('ca.crt'),
      requestCert: true,
      rejectUnauthorized: true,
    }
    return listen(
      createServer(options, (request, response) =>
        response.end(JSON.stringify((request.socket as TLSSocket).getPeerCertificate().subject)),
      ),
    )
  }

  it('shows the certificate that stands in the configuration, to a server of the authority there', async () => {
    const origin = await startMutual()
    const tls = { ca: pem('ca.crt'), cert: pem('weir.crt'), key: pem('weir.key') }
    expect((await callApi(await open(origin, { tls }), { url: 'x' })).data).toEqual({ CN: 'weir' })
    const locked = { ...tls, key: pem('weir.locked.key'), passphrase: '0pen', serverName: 'server' }
    expect((await callApi(await open(origin, { tls: locked }), { url: 'x' })).data).toEqual({ CN: 'weir' })
  })

  it('without it, or without the authority, nothing goes through', async () => {
    const origin = await startMutual()
    for (const tls of [{ ca: pem('ca.crt') }, undefined]) {
      const connection = await open(origin, tls === undefined ? {} : { tls })
      expect((await failure(callApi(connection, { url: 'x' }))).code).toBe('UPSTREAM_UNREACHABLE')
    }
  })

  it('S16: a key that does not fit is a fault of the configuration that names the API and shows nothing of it', async () => {
    const tls = { cert: pem('weir.crt'), key: pem('server.key') }
    const error = await failure(open('https://x.example', { tls }))
    expect([error.code, error.data?.['api_name']]).toEqual(['CONFIG_INVALID', 'crm'])
    expect(JSON.stringify(renderError(error))).not.toContain(pem('server.key').split('\n')[1])
  })
})

describe('D1-030, B-36: HTTP/2 of an API', () => {
  const start = async (allowHTTP1: boolean) => {
    const server = createSecureServer(
      { key: pem('server.key'), cert: pem('server.crt'), allowHTTP1 },
      (request, response) => response.end(`HTTP/${request.httpVersion}`),
    )
    let connections = 0
    server.on('secureConnection', () => connections++)
    const origin = await listen(server as unknown as Server)
    return { origin, connections: () => connections }
  }
  const tls = () => ({ ca: pem('ca.crt') })

  it('is spoken where both know it, many requests on one connection', async () => {
    const { origin, connections } = await start(true)
    const connection = await open(origin, { tls: tls(), http2: true })
    const call = () => callApi(connection, { url: 'x' })
    expect((await call()).data).toEqual({ raw_response: 'HTTP/2.0' })
    await Promise.all(Array.from({ length: 20 }, call))
    expect(connections()).toBe(1)
  })

  it('is not spoken unless the configuration or its pool says so, and falls back where the server does not know it', async () => {
    const { origin } = await start(true)
    expect((await callApi(await open(origin, { tls: tls() }), { url: 'x' })).data).toEqual({
      raw_response: 'HTTP/1.1',
    })
    const old = await listen(
      createServer({ key: pem('server.key'), cert: pem('server.crt') }, (request, response) =>
        response.end(`HTTP/${request.httpVersion}`),
      ),
    )
    const connection = await open(old, { tls: tls(), pool: 'shared' })
    expect((await callApi(connection, { url: 'x' })).data).toEqual({ raw_response: 'HTTP/1.1' })
    expect((await callApi(await open(origin, { tls: tls(), pool: 'shared' }), { url: 'x' })).data).toEqual({
      raw_response: 'HTTP/2.0',
    })
  })
})

describe('C-08, D1-031: the pool of an API', () => {
  it.each([
    ['numbers', { connectionsMax: 40, connectionsPerOrigin: 3 }, 3],
    ['a preset', 'small', 20],
    ['the default', undefined, 30],
  ])('takes %s', async (_how, pool, most) => {
    const waiting: (() => void)[] = []
    let underWay = 0
    let peak = 0
    world.upstream.answer = (_request, response) => {
      underWay += 1
      peak = Math.max(peak, underWay)
      waiting.push(() => {
        underWay -= 1
        response.end()
      })
    }
    const connection = await open(world.upstream.origin, pool === undefined ? {} : { pool })
    const calls = Array.from({ length: 35 }, () => callApi(connection, { url: 'x' }))
    await expect.poll(() => waiting.length).toBe(most)
    while (world.upstream.seen.length < 35 || waiting.length > 0) {
      waiting.shift()?.()
      await new Promise(setImmediate)
    }
    await Promise.all(calls)
    expect(peak).toBe(most)
  })

  it.each([
    ['pool', { pool: 'huge' }],
    ['pool', { pool: { connectionsMax: 0 } }],
    ['tls', { tls: { certificate: 'x' } }],
    ['http2', { http2: 'yes' }],
  ])('names the field: %s', (field, more) => {
    expect(() => world.connector.config.parse({ apis: { crm: { baseUrl: 'http://x', ...more } } })).toThrow(
      field,
    )
  })
})
