import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Place } from '../../src/cli/spawn-weir.fixture.ts'

const reloads = process.env['WEIR_TEST_LONG'] === '1' ? 100 : 30
const clients = 8
const stdioServer = new URL('../../src/connectors/mcp/fixtures/raw-stdio.fixture.ts', import.meta.url)
  .pathname

interface Reply {
  readonly successful: boolean
  readonly data?: { readonly results: readonly { readonly response: { readonly data?: unknown } }[] }
}

// A real process that is told to read its file again while calls run through it.
describe('a running Weir and its file', () => {
  // It answers late enough for a call to be under way whenever its connection is replaced.
  const api = createServer((request, response) => {
    setTimeout(() => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ version: request.headers['x-version'] }))
    }, 20)
  })
  const place = new Place()
  let weir: Awaited<ReturnType<Place['serve']>>
  let origin = ''

  const configure = (version: number, more: object = {}) =>
    place.write(
      'weir.yaml',
      JSON.stringify({
        log: { level: 'warn' },
        connections: {
          changing: {
            type: 'http',
            apis: {
              service: { baseUrl: origin, allowPrivate: true, headers: { 'x-version': `${version}` } },
            },
          },
          kept: { type: 'mcp', command: process.execPath, args: [stdioServer] },
          ...(version % 2 === 0
            ? { sometimes: { type: 'sql', databases: { a: { url: 'sqlite:./some.db' } } } }
            : {}),
        },
        ...more,
      }),
    )
  const execute = async (tool: string, input: object): Promise<Reply> => {
    const body = JSON.stringify({ tools: [{ tool_slug: tool, arguments: input }] })
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${weir.url}/mcp/execute`, { method: 'POST', headers, body })
    return (await answer.json()) as Reply
  }
  const readVersion = async () => {
    const reply = await execute('changing:http_request', { api_name: 'service', method: 'GET', url: '/' })
    return reply.successful ? reply.data?.results[0]?.response.data : reply
  }
  const readPid = async () => JSON.stringify((await execute('kept:who', {})).data)

  beforeAll(async () => {
    api.listen(0, '127.0.0.1')
    await once(api, 'listening')
    origin = `http://127.0.0.1:${(api.address() as AddressInfo).port}`
    new DatabaseSync(join(place.dir, 'some.db')).close()
    configure(0)
    weir = await place.serve('start')
  })
  afterAll(async () => {
    await weir.stop()
    await place[Symbol.asyncDispose]()
    api.close()
  })

  it(`R14: ${reloads} reloads under load, every fifth invalid, drop no call and restart only what has changed`, {
    timeout: reloads * 3_000,
  }, async () => {
    const pid = await readPid()
    let isOver = false
    let calls = 0
    const failures: unknown[] = []
    const load = async (ask: () => Promise<unknown>, isGood: (answer: unknown) => boolean) => {
      while (!isOver) {
        const answer = await ask()
        calls += 1
        if (!isGood(answer)) failures.push(answer)
      }
    }
    const running = Array.from({ length: clients }, (_, i) =>
      i % 2 === 0
        ? load(readVersion, (answer) => typeof (answer as { version?: unknown }).version === 'string')
        : load(readPid, (answer) => answer === pid),
    )
    let version = 0
    for (let n = 1; n <= reloads; n += 1) {
      if (n % 5 === 0) {
        configure(n, { polices: {} })
        weir.child.kill('SIGHUP')
        await wait(50)
        expect(await readVersion()).toEqual({ version: `${version}` })
      } else {
        version = n
        configure(n)
        weir.child.kill('SIGHUP')
        await expect.poll(readVersion, { timeout: 10_000, interval: 10 }).toEqual({ version: `${n}` })
      }
    }
    isOver = true
    await Promise.all(running)
    expect(failures).toEqual([])
    expect(calls).toBeGreaterThan(reloads * clients)
    expect(await readPid()).toBe(pid)
  })

  it('R14: what is wrong with a file is told, and the tools of a connection that is gone are gone', async () => {
    configure(2, { polices: {} })
    weir.child.kill('SIGHUP')
    await weir.says('stderr', /polices.*policies/s)
    configure(1_001)
    weir.child.kill('SIGHUP')
    await expect.poll(readVersion, { timeout: 10_000 }).toEqual({ version: '1001' })
    expect(await execute('sometimes:get_schema', {})).toMatchObject({ successful: false })
    configure(1_002)
    weir.child.kill('SIGHUP')
    await expect.poll(readVersion, { timeout: 10_000 }).toEqual({ version: '1002' })
    await expect
      .poll(async () => (await execute('sometimes:get_schema', { database: 'a' })).successful, {
        timeout: 10_000,
      })
      .toBe(true)
  })

  it('R14: weir reload says what would change, changes it, and takes no word from who is no operator', async () => {
    const server = { port: Number(weir.port) }
    configure(2_002, { server })
    await execute('changing:http_request', { api_name: 'service', method: 'GET', url: '/' })
    const before = await readVersion()
    const dry = await place.run(['reload', '--dry-run', '--json'])
    expect(JSON.parse(dry.stdout)).toMatchObject({
      dry_run: true,
      plan: { connections: { changed: ['changing'] }, atNextStart: ['server.port'] },
    })
    expect(dry.stdout).not.toContain('2002')
    const denied = await place.run(['reload'], { env: { WEIR_TOKEN: 'x'.repeat(64) } })
    expect([denied.code, denied.stderr]).toEqual([6, expect.stringContaining('operates Weir')])
    expect(await readVersion()).toEqual(before)
    const done = await place.run(['reload'])
    expect([done.code, done.stdout]).toEqual([0, expect.stringContaining('connections changed: changing')])
    expect(await readVersion()).toEqual({ version: '2002' })
    configure(2_003, { server, polices: {} })
    expect((await place.run(['reload'])).code).toBe(2)
    expect(await readVersion()).toEqual({ version: '2002' })
  })
})
