import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createBase, createWeir, embedWeir, type Weir, WeirError } from './app.ts'
import { parseConfig } from './config/load.ts'
import { createDesk } from './frontends/rest/desk.fixture.ts'
import { createLog } from './telemetry/log.ts'

const weirs: Weir[] = []
afterEach(async () => {
  await Promise.all(weirs.splice(0).map((weir) => weir.close(0)))
})

function embed(config: Readonly<Record<string, unknown>> = {}) {
  const desk = createDesk()
  const weir = embedWeir({
    connectors: [desk.connector],
    config: {
      connections: { desk: { type: 'desk' } },
      server: { port: 0 },
      log: { level: 'silent' },
      ...config,
    },
  })
  weirs.push(weir)
  return { desk, weir }
}

const post = (url: string, slug: string) =>
  fetch(`${url}/mcp/execute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ tools: [{ tool_slug: slug }] }),
  })

describe('where Weir listens', () => {
  it.each([
    '0.0.0.0',
    '::',
    '',
    '10.0.0.1',
    '192.168.1.10',
    '169.254.1.1',
    '8.8.8.8',
    'weir.example',
    '127.0.0.1.nip.io',
    '127.1',
    '0',
    '[::1]',
    '::ffff:10.0.0.1',
    'LOCALHOST.example',
  ])('is never %j without authentication', async (host) => {
    const { weir } = embed()
    await expect(weir.listen({ host })).rejects.toMatchObject({
      code: 'BIND_REFUSED',
      message: `Weir will not listen on ${host}: no authentication is configured.`,
    })
  })

  it.each(['0.0.0.0', 'weir.example'])('is never %s of the configuration either', async (host) => {
    const { weir } = embed({ server: { host, port: 0 } })
    await expect(weir.listen()).rejects.toMatchObject({ code: 'BIND_REFUSED' })
  })

  it.each(['127.0.0.1', '127.0.0.2', 'localhost'])('may be %s', async (host) => {
    const { weir } = embed()
    const { url } = await weir.listen({ host })
    expect((await fetch(`${url}/livez`, { headers: { host: 'localhost' } })).status).toBe(
      new URL(url).hostname === '127.0.0.2' ? 403 : 200,
    )
  })

  it('D1-087: shows there what its sockets to other systems do', async () => {
    const { weir } = embed()
    const { url } = await weir.listen()
    const metrics = await (await fetch(`${url}/metrics`)).text()
    expect(metrics).toContain('# TYPE weir_egress_connections_created_total counter')
    expect(metrics).toContain('# TYPE weir_egress_active_connections gauge')
  })

  it('is refused where somebody listens, with the port, and possible elsewhere then', async () => {
    const other = createServer()
    await once(other.listen(0, '127.0.0.1'), 'listening')
    const { port } = other.address() as AddressInfo
    const { weir } = embed()
    const error = await weir.listen({ port }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(WeirError)
    expect(error).toMatchObject({
      code: 'PORT_TAKEN',
      message: `Port ${port} of 127.0.0.1 is taken.`,
      data: { host: '127.0.0.1', port },
    })
    const { url } = await weir.listen()
    expect((await fetch(`${url}/livez`)).status).toBe(200)
    await weir.close()
    await expect(fetch(`${url}/livez`)).rejects.toThrow()
    other.close()
  })
})

describe('a configuration', () => {
  it('with a connection of no known type is refused, with the types there are', () => {
    const config = { connections: { box: { type: 'dsek' } }, log: { level: 'silent' } }
    let error: unknown
    try {
      embedWeir({ connectors: [createDesk().connector], config })
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
    expect((error as WeirError).data?.['problems']).toMatchObject([{ path: 'connections.box.type' }])
    expect((error as WeirError).message).toContain('desk')
  })

  it('of an embedder reads no files, even where it names one', () => {
    expect(() => embed({ connections: { desk: { type: 'desk', only: ['${file:/etc/hostname}'] } } })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    )
  })

  it('need not have connections', async () => {
    const { weir } = embed({ connections: {} })
    const { url } = await weir.listen()
    const discovery = (await (await fetch(`${url}/mcp/discover`)).json()) as { tools: unknown[] }
    expect(discovery.tools).toEqual([])
  })
})

describe('the log', () => {
  it('names the connection in whatever its connector says', async () => {
    const lines: Record<string, unknown>[] = []
    const log = createLog((line) => void lines.push(JSON.parse(line)))
    const base = createBase({ hostEnv: {}, log })
    const dying = (words: string) => ({
      type: 'mcp',
      command: process.execPath,
      args: ['-e', `console.error('${words}'); process.exit(3)`],
    })
    const missing = { type: 'mcp', command: '/nowhere/at-all' }
    const config = { connections: { one: dying('no licence'), two: dying('no room'), missing } }
    const text = JSON.stringify({ ...config, store: { url: 'sqlite::memory:' } })
    const { connectors } = base
    const loaded = parseConfig({ text, path: '/weir.yaml', env: {}, connectors, readFile: () => '' })
    const weir = createWeir({ base, loaded, user: 'ada' })
    weirs.push(weir)
    await weir.catalog.settled(10_000)
    const said = lines.filter(({ msg }) => msg === 'The MCP server ended by itself.')
    expect(new Set(said.map(({ connection, stderr }) => `${connection}: ${stderr}`))).toEqual(
      new Set(['one: no licence\n', 'two: no room\n']),
    )
    // What never ran has not ended: why it is down says it all.
    expect(lines.filter(({ connection }) => connection === 'missing').map(({ event }) => event)).toEqual([
      'connection.down',
    ])
  })
})

describe('closing', () => {
  it('may be asked twice, and before anything listens', async () => {
    const { weir } = embed()
    await Promise.all([weir.close(), weir.close()])
    await weir.close()
    const { weir: served } = embed()
    const { url } = await served.listen()
    await Promise.all([served.close(), served.close()])
    await served.close()
    await expect(fetch(`${url}/livez`)).rejects.toThrow()
  })

  it('R13: lets a call that runs end, answers it, and waits no longer', async () => {
    const { weir, desk } = embed()
    const { url } = await weir.listen()
    const answer = post(url, 'hold')
    const { signal } = await desk.held
    const closed = weir.close()
    await expect(fetch(`${url}/livez`)).rejects.toThrow()
    desk.release()
    const releasedMs = performance.now()
    const response = await answer
    expect([response.status, ((await response.json()) as { successful: boolean }).successful]).toEqual([
      200,
      true,
    ])
    await closed
    expect(signal.aborted).toBe(false)
    // The client would keep its connection for seconds.
    expect(performance.now() - releasedMs).toBeLessThan(2_000)
  })

  it('cuts off a call that does not end in its time, and tells the tool to stop', async () => {
    const { weir, desk } = embed()
    const { url } = await weir.listen()
    const answer = post(url, 'hold').then(
      () => 'answered',
      () => 'cut off',
    )
    const { signal } = await desk.held
    const startMs = performance.now()
    await weir.close(50)
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(45)
    expect(performance.now() - startMs).toBeLessThan(2_000)
    expect(await answer).toBe('cut off')
    expect(signal.aborted).toBe(true)
    desk.release()
  })

  it('does not wait for connections that nobody uses', async () => {
    const { weir } = embed()
    const { url } = await weir.listen()
    // The answer leaves a connection open behind it, for the next request.
    await (await fetch(`${url}/livez`)).text()
    const startMs = performance.now()
    await weir.close(10_000)
    expect(performance.now() - startMs).toBeLessThan(2_000)
  })
})
