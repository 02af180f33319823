import { execFile } from 'node:child_process'
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { embedWeir, type Weir } from '../../app.ts'
import { type ModuleFolder, makeModuleFolder } from './module-folder.fixture.ts'

const root = join(import.meta.dirname, '../../..')
const example = join(root, 'examples/custom')

let folder: ModuleFolder
let weir: Weir
let client: Client
beforeEach(async () => {
  folder = makeModuleFolder()
  for (const file of ['my-connector.ts', 'systems.json', 'weir.yaml'])
    cpSync(join(example, file), join(folder.path, file))
  await start()
})
afterEach(async () => {
  await stop()
  await folder.close()
})

async function start(): Promise<void> {
  const config = parseYaml(readFileSync(join(folder.path, 'weir.yaml'), 'utf8')) as object
  weir = embedWeir({ baseDir: folder.path, config: { ...config, log: { level: 'silent' } } })
  const { url } = await weir.listen({ port: 0 })
  client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } })
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp/custom-integration`)))
}

async function stop(): Promise<void> {
  await client.close()
  await weir.close(0)
}

const call = async (name: string, input: Record<string, unknown>) => {
  const { structuredContent, isError, content } = await client.callTool({ name, arguments: input })
  return isError === true ? { isError, content } : structuredContent
}
const onDisk = () =>
  JSON.parse(readFileSync(join(folder.path, 'systems.json'), 'utf8')) as Record<string, object>

describe('the shipped example', () => {
  it('D3-014, D3-015, D3-016, D3-017, B-91: serves the tools and the resource, with their fields', async () => {
    const { tools } = await client.listTools()
    expect(tools).toMatchObject([
      {
        name: 'query_data',
        inputSchema: {
          properties: { query: { type: 'string' }, filters: { type: 'object' } },
          required: ['query'],
        },
        outputSchema: { properties: { data: { type: 'array' } }, required: ['data'] },
      },
      {
        name: 'update_system',
        inputSchema: {
          properties: { entity: { type: 'string' }, updates: { type: 'object' } },
          required: ['entity', 'updates'],
        },
        outputSchema: { properties: { success: { type: 'boolean' } } },
      },
    ])
    const { resources } = await client.listResources()
    expect(resources).toMatchObject([
      { uri: 'custom://config', title: 'System Configuration', mimeType: 'application/json' },
    ])
  })

  it('D3-015, D3-018: query_data really looks into the store', async () => {
    const names = async (input: Record<string, unknown>) => {
      const { data } = (await call('query_data', input)) as { data: { entity: string }[] }
      return data.map(({ entity }) => entity)
    }
    expect(await call('query_data', { query: 'orders' })).toEqual({
      data: [{ entity: 'orders-api', kind: 'service', status: 'up', owner: 'ada', replicas: 3 }],
    })
    expect(await names({ query: '' })).toEqual(['orders-api', 'billing', 'warehouse-db'])
    expect(await names({ query: '', filters: { status: 'up' } })).toEqual(['orders-api', 'warehouse-db'])
    expect(await names({ query: 'SERVICE grace', filters: { replicas: 2 } })).toEqual(['billing'])
    expect(await names({ query: 'service', filters: { replicas: '2' } })).toEqual([])
    expect(await call('query_data', { filters: {} })).toMatchObject({ isError: true })
  })

  it('D3-016, D3-018: update_system is on disk when it says so, and outlives a restart', async () => {
    const updates = { status: 'down', owner: null, note: 'moving' }
    expect(await call('update_system', { entity: 'billing', updates })).toEqual({ success: true })
    expect(onDisk()['billing']).toEqual({ kind: 'service', status: 'down', replicas: 2, note: 'moving' })
    await call('update_system', { entity: 'new-one', updates: { kind: 'queue' } })
    await stop()
    await start()
    expect(await call('query_data', { query: 'queue' })).toEqual({
      data: [{ entity: 'new-one', kind: 'queue' }],
    })
    expect(await call('update_system', { entity: '../x', updates: {} })).toMatchObject({ isError: true })
  })

  it('D3-016: updates at the same time are all kept, and no half file is left', async () => {
    await Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        call('update_system', { entity: 'orders-api', updates: { [`f${n}`]: n } }),
      ),
    )
    expect(Object.keys(onDisk()['orders-api']!)).toHaveLength(34)
    const extra = { updates: Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`g${n}`, n])) }
    expect(await call('update_system', { entity: 'orders-api', ...extra })).toMatchObject({ isError: true })
    expect(readdirSync(folder.path).filter((file) => file.includes('.next'))).toEqual([])
  })

  it('D3-014, D3-017, D3-018: custom://config says what it is, from the store as it is now', async () => {
    const read = async () => {
      const [content] = (await client.readResource({ uri: 'custom://config' })).contents
      expect(content).toMatchObject({ uri: 'custom://config', mimeType: 'application/json' })
      return JSON.parse((content as { text: string }).text) as object
    }
    expect(await read()).toMatchObject({ name: 'custom-integration', version: '1.0.0', systems: 3 })
    await call('update_system', { entity: 'new-one', updates: { kind: 'queue' } })
    expect(await read()).toMatchObject({ systems: 4 })
  })

  it('is loaded by the program itself, whose import no test runner changes', async () => {
    const command = [
      'bin/weir.js',
      'call',
      'custom-integration:query_data',
      'query=ada',
      '--json',
      '--config',
    ]
    const options = { cwd: root, env: { PATH: process.env['PATH'] } }
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [...command, join(folder.path, 'weir.yaml')],
      options,
    )
    expect(stdout).toContain('"entity":"orders-api"')
  })
})
