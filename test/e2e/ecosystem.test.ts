import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { embedWeir, type Weir } from '../../src/app.ts'
import {
  type SdkHttpServer,
  startSdkV1,
  startSdkV2,
} from '../../src/connectors/mcp/fixtures/sdk-http.fixture.ts'

/** Servers that people really run, behind one Weir, and one real client of each era before it. */
const modules = fileURLToPath(new URL('../../node_modules/@modelcontextprotocol', import.meta.url))
const toolbox = fileURLToPath(
  new URL('../../bench/rivals/node_modules/@toolbox-sdk/server-linux-x64/bin/toolbox', import.meta.url),
)
const hasToolbox = existsSync(toolbox)
const isRequired = process.env['WEIR_TEST_REQUIRE'] === 'all'

let folder: string
let weir: Weir
let url: URL
const closing: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-ecosystem-'))
  await writeFile(join(folder, 'note.txt'), 'Zürich ✓')
  const database = new DatabaseSync(join(folder, 'cities.db'))
  database.exec("create table cities (name text, people int); insert into cities values ('Zürich', 443000)")
  database.close()
  const [v1, v2] = await Promise.all([startSdkV1(), startSdkV2('stateless')])
  closing.push(
    () => v1.close(),
    () => v2.close(),
  )
  weir = embedWeir({
    config: {
      log: { level: 'error' },
      connections: { ...packaged(), ...behindHttp(v1, v2), ...(await toolboxes()) },
    },
    baseDir: folder,
    env: process.env,
  })
  await weir.catalog.settled(20_000)
  const listening = await weir.listen({ port: 0 })
  url = new URL('/mcp', listening.url)
}, 40_000)

afterAll(async () => {
  await weir?.close(0)
  for (const close of closing) await close()
  await rm(folder, { recursive: true, force: true })
})

const script = (name: string, ...args: string[]) => ({
  type: 'mcp',
  command: process.execPath,
  args: [join(modules, name, 'dist/index.js'), ...args],
})

function packaged() {
  return {
    everything: script('server-everything', 'stdio'),
    filesystem: script('server-filesystem', folder),
    memory: { ...script('server-memory'), env: { MEMORY_FILE_PATH: join(folder, 'memory.jsonl') } },
  }
}

function behindHttp(v1: SdkHttpServer, v2: SdkHttpServer) {
  return {
    'sdk-v1': { type: 'mcp', url: v1.url, allowPrivate: true },
    'sdk-v2': { type: 'mcp', url: v2.url, allowPrivate: true },
  }
}

/** Google's MCP Toolbox over stdio and over HTTP; a program of 300 MB that `(cd bench/rivals && npm ci)` brings. */
async function toolboxes() {
  if (!hasToolbox) return {}
  const args = ['--prebuilt', 'sqlite', '--disable-version-check']
  const env = { SQLITE_DATABASE: join(folder, 'cities.db') }
  const port = await findFreePort()
  const child = spawn(toolbox, [...args, '--port', String(port)], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  closing.push(async () => {
    child.kill()
    await once(child, 'exit')
  })
  await sayReady(child.stdout)
  return {
    toolbox: { type: 'mcp', command: toolbox, args: [...args, '--stdio'], env },
    'toolbox-http': { type: 'mcp', url: `http://127.0.0.1:${port}/mcp`, allowPrivate: true },
  }
}

/** The toolbox does not say which port it took. */
async function findFreePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function sayReady(output: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve) => {
    createInterface({ input: output }).on('line', (line) => {
      if (line.includes('ready to serve')) resolve()
    })
  })
}

interface Called {
  readonly isError?: boolean | undefined
  readonly content?: unknown
  readonly structuredContent?: unknown
}

/** One real client, whichever SDK it is from. */
interface Client {
  listTools(): Promise<{ tools: readonly { name: string }[] }>
  callTool(params: { name: string; arguments: Record<string, unknown> }): Promise<unknown>
  close(): Promise<void>
}

const info = { name: 'sdk', version: '1' }
const clients = {
  'SDK v1': async (): Promise<Client> => {
    const client = new ClientV1(info)
    await client.connect(new HttpV1(url) as Parameters<ClientV1['connect']>[0])
    return client as Client
  },
  'SDK v2, newest revision': async (): Promise<Client> => {
    const client = new ClientV2(info, { versionNegotiation: { mode: 'auto' } })
    await client.connect(new HttpV2(url))
    return client as Client
  },
}

describe.each(Object.entries(clients))('through %s', (_name, connect) => {
  let client: Client
  beforeAll(async () => {
    client = await connect()
  })
  afterAll(() => client.close())

  const call = async (name: string, input: Record<string, unknown> = {}) => {
    const answer = (await client.callTool({ name, arguments: input })) as Called
    expect(answer.isError ?? false, JSON.stringify(answer)).toBe(false)
    return JSON.stringify(answer.structuredContent ?? answer.content)
  }

  it('D3-019, D3-020: every server is up, and all its tools are listed', async () => {
    const states = weir.catalog.connections().map(({ name, state }) => [name, state])
    expect(states.filter(([, state]) => state !== 'up')).toEqual([])
    const { tools } = await client.listTools()
    for (const [connection] of states) {
      expect(
        tools.some(({ name }) => name.startsWith(`${connection}__`)),
        connection,
      ).toBe(true)
    }
  })

  it('server-everything echoes and computes', async () => {
    expect(await call('everything__echo', { message: 'ahoy' })).toContain('ahoy')
    expect(await call('everything__get-sum', { a: 20, b: 22 })).toContain('42')
  })

  it('D3-011, B-90: server-filesystem reads within the folder it was given as an argument, and not beside it', async () => {
    expect(await call('filesystem__read_text_file', { path: join(folder, 'note.txt') })).toContain('Zürich ✓')
    const beside = { name: 'filesystem__read_text_file', arguments: { path: '/etc/hostname' } }
    expect((await client.callTool(beside)) as Called).toMatchObject({ isError: true })
  })

  it('server-memory remembers', async () => {
    const entity = { name: `Weir of ${_name}`, entityType: 'dam', observations: ['it holds'] }
    await call('memory__create_entities', { entities: [entity] })
    expect(await call('memory__search_nodes', { query: 'weir' })).toContain(entity.name)
  })

  it('servers of both SDKs answer over HTTP', async () => {
    expect(await call('sdk-v1__echo', { text: 'one' })).toContain('one')
    expect(await call('sdk-v2__echo', { text: 'two' })).toContain('two')
  })

  it.skipIf(!hasToolbox && !isRequired)(
    'Google’s MCP Toolbox queries SQLite, over stdio and HTTP',
    async () => {
      for (const connection of ['toolbox', 'toolbox-http']) {
        const rows = await call(`${connection}__execute_sql`, { sql: 'select name, people from cities' })
        expect(rows).toMatch(/Zürich.*443000/)
      }
    },
  )
})

if (!hasToolbox)
  process.stdout.write('Google’s MCP Toolbox is not tested: run (cd bench/rivals && npm ci).\n')
