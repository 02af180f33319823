import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler } from '@modelcontextprotocol/server'
import { afterEach, describe, expect, it } from 'vitest'
import { embedWeir, type Weir } from '../../src/app.ts'
import { createSdkV2Server } from '../../src/connectors/mcp/fixtures/sdk-v2-server.fixture.ts'

const healthy = toNodeHandler(createMcpHandler(createSdkV2Server, { legacy: 'stateless' })) as RequestListener
const bad: Readonly<Record<string, RequestListener>> = {
  hung: () => {},
  unauthorised: (_request, response) => void response.writeHead(401).end(),
  broken: (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":')
  },
}
const names = ['good', ...Object.keys(bad), 'refusing']
const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** The same port can be listened on again by another kind of server. */
async function listen(handler: RequestListener, port = 0): Promise<Server> {
  const server = createServer(handler)
  await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve))
  closing.push(() => stop(server))
  return server
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

const portOf = (server: Server) => (server.address() as AddressInfo).port

async function startWeir(folder: string, ports: ReadonlyMap<string, number>): Promise<Weir> {
  const connections = Object.fromEntries(
    [...ports].map(([name, port]) => [
      name,
      { type: 'mcp', url: `http://127.0.0.1:${port}/mcp`, allowPrivate: true },
    ]),
  )
  const weir = embedWeir({
    config: { log: { level: 'silent' }, store: { url: 'sqlite:store.db' }, connections },
    baseDir: folder,
  })
  closing.push(() => weir.close(0))
  return weir
}

async function listTools(weir: Weir) {
  const { url } = await weir.listen({ port: 0 })
  const client = new Client({ name: 'lister', version: '1' }, { versionNegotiation: { mode: 'auto' } })
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', url)))
  closing.push(() => client.close())
  return (await client.listTools()).tools
}

describe('five upstreams', () => {
  it('R6: one hangs, one refuses, one answers 401, one sends broken JSON: the list comes within 2 s, theirs marked stale', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'weir-neighbours-'))
    closing.push(() => rm(folder, { recursive: true, force: true }))
    const servers = new Map<string, Server>()
    for (const name of names) servers.set(name, await listen(healthy))
    const ports = new Map([...servers].map(([name, server]) => [name, portOf(server)]))

    const before = await startWeir(folder, ports)
    const whole = await listTools(before)
    expect(whole.length).toBe(names.length * 4)
    expect(whole.filter(({ _meta }) => _meta?.['weir/stale'] !== undefined)).toEqual([])
    await before.close(0)

    for (const name of names.slice(1)) {
      await stop(servers.get(name)!)
      const handler = bad[name]
      if (handler !== undefined) await listen(handler, ports.get(name))
    }
    const startMs = performance.now()
    const tools = await listTools(await startWeir(folder, ports))
    // The two seconds are Weir's; what is above them is the client's own start on a machine that runs other tests.
    expect(performance.now() - startMs).toBeLessThan(3_000)
    expect(tools.map(({ name }) => name)).toEqual(whole.map(({ name }) => name))
    for (const { name, _meta } of tools) {
      const isStale = _meta?.['weir/stale'] !== undefined
      expect([name, isStale]).toEqual([name, !name.startsWith('good__')])
    }
  }, 30_000)
})
