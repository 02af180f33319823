import { once } from 'node:events'
import { resolve } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { describe, expect, it, vi } from 'vitest'
import { childrenOf, isAlive, Place, type Running } from '../spawn-weir.fixture.ts'

const program = resolve(import.meta.dirname, '../../../bin/weir.js')
const text = async (url: string) => (await fetch(url)).text()

/** The process's children, once the sample's two kinds of them are there. */
async function startedChildren({ child }: Running, url: string): Promise<readonly number[]> {
  await text(`${url}/mcp/discover`)
  const children = await childrenOf(child.pid!)
  expect(children.length).toBeGreaterThan(0)
  return children
}

describe('start', () => {
  it.each([
    ['SIGTERM', 0],
    ['SIGINT', 130],
  ] as const)('stops in order at %s: exit %i, no child and no file left', async (signal, code) => {
    await using place = new Place()
    const running = await place.serve('start')
    const children = await startedChildren(running, running.url)
    expect(place.leftovers()).toHaveLength(1)
    const ended = await running.stop(signal)
    expect({ code: ended.code, left: place.leftovers() }).toEqual({ code, left: [] })
    expect(await Promise.all(children.map(isAlive))).not.toContain(true)
  })

  it('says on stdout only that it listens, and on stderr that the sample is in use', async () => {
    await using place = new Place()
    const running = await place.serve('start')
    await text(`${running.url}/mcp/discover`)
    const { stdout, stderr } = await running.stop()
    expect(stdout).toBe(`{"event":"listening","url":"${running.url}"}\n`)
    expect(JSON.parse(stderr.split('\n')[0]!)).toEqual({ note: expect.stringContaining('sample') })
  })

  it('shows people one screen', async () => {
    await using place = new Place()
    const running = place.start(['start', '--port', '0'])
    await running.says('stderr', /claude mcp add .*\n/)
    const { code, stdout, stderr } = await running.stop()
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(stderr).toMatch(/^There is no weir\.yaml here/)
    expect(stderr).toMatch(/database +up, 5 tools/)
    expect(stderr.split('\n').length).toBeLessThanOrEqual(24)
  })

  it('shows a connection that is slow as still starting', async () => {
    const slow = { type: 'mcp', command: process.execPath, args: ['-e', 'setInterval(() => {}, 1e6)'] }
    await using place = new Place({ connections: { slow }, log: { level: 'silent' } })
    const running = place.start(['start', '--port', '0'])
    await running.says('stderr', /slow +still starting/)
    expect(await running.stop()).toMatchObject({ code: 0 })
  })

  it('names who holds a taken port, and the way out', async () => {
    await using place = new Place({})
    const first = await place.serve('start')
    const { code, stdout, stderr } = await place.run(['start', '--port', first.port])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    const holder = process.platform === 'linux' ? ` by node .*weir\\.js \\(pid ${first.child.pid}\\)` : ''
    expect(stderr).toMatch(new RegExp(`error: Port ${first.port} of 127\\.0\\.0\\.1 is taken${holder}`))
    expect(stderr).toContain('--port ')
  })

  it('refuses to serve everybody: exit 2', async () => {
    await using place = new Place({})
    const { code, stderr } = await place.run(['start', '--host', '0.0.0.0', '--port', '0'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/no authentication is configured/)
  })

  it('outlives readers that leave', async () => {
    await using place = new Place({})
    const running = await place.serve('start')
    running.child.stdout?.destroy()
    running.child.stderr?.destroy()
    expect((await fetch(`${running.url}/nowhere`)).status).toBe(404)
    running.child.kill('SIGTERM')
    expect((await running.ended).code).toBe(0)
  })

  it('logs a crash and ends, with its children and files', async () => {
    await using place = new Place()
    place.write('crash.mjs', `process.on('SIGUSR2', () => { Promise.reject(new Error('planted')) })`)
    const env = { NODE_OPTIONS: `--import ${place.dir}/crash.mjs` }
    const running = place.start(['start', '--port', '0', '--json'], env)
    const [, url = ''] = await running.says('stdout', /"url":"([^"]+)"/)
    const children = await startedChildren(running, url)
    const { code, stderr } = await running.stop('SIGUSR2')
    expect(code).toBe(1)
    expect(stderr).toMatch(/process\.crashed.*planted/)
    expect(place.leftovers()).toEqual([])
    expect(await Promise.all(children.map(isAlive))).not.toContain(true)
  })
})

describe('start --stdio', () => {
  it('ends when asked to, though its client has stopped reading', async () => {
    await using place = new Place({ connections: {} })
    const { child } = place.start(['start', '--stdio'])
    const answers = child.stdout!
    answers.pause()
    // Far more than a pipe takes.
    const params = { uri: 'x'.repeat(100_000) }
    const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'resources/read', params })
    child.stdin!.write(`${text}\n`.repeat(20))
    await vi.waitFor(() => expect(answers.readableLength).toBeGreaterThan(60_000), 10_000)
    child.kill()
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('answers a client of the official SDK, with nothing but the protocol on stdout', async () => {
    await using place = new Place()
    // A dependency that logs to stdout would break the client's parser, which reports what it cannot read.
    place.write(
      'noise.mjs',
      `setInterval(() => { console.log('noise'); process.stdout.write('noise') }, 5).unref()`,
    )
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: ['--import', `${place.dir}/noise.mjs`, program, 'start', '--stdio'],
      cwd: place.dir,
      env: { PATH: process.env['PATH'] ?? '', HOME: place.dir, TMPDIR: place.dir },
      stderr: 'pipe',
    })
    const client = new Client({ name: 'cli-test', version: '1.0.0' })
    const faults: Error[] = []
    client.onerror = (error) => faults.push(error)
    await client.connect(transport)
    const pid = transport.pid!
    const call = {
      name: 'database__execute_query',
      arguments: { query: 'select 1 as n', database: 'analytics' },
    }
    await expect
      .poll(async () => (await client.listTools()).tools.length, { timeout: 10_000 })
      .toBeGreaterThan(4)
    expect(await client.callTool(call)).toMatchObject({ structuredContent: { rows: [{ n: 1 }] } })
    await client.close()
    await expect.poll(() => isAlive(pid), { timeout: 5_000 }).toBe(false)
    expect(faults).toEqual([])
    expect(place.leftovers()).toEqual([])
  })

  it('ends when its client does: exit 0, stdout untouched', async () => {
    await using place = new Place()
    const ended = await place.run(['start', '--stdio'])
    expect(ended).toMatchObject({ code: 0, stdout: '' })
    expect(place.leftovers()).toEqual([])
  })
})
