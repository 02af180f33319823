import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Gateway, legacyRequest, modernMeta, modernRequest, startGateway } from './gateway.fixture.ts'
import { PipeClient, serveOverPipes } from './stdio-client.fixture.ts'

let gateway: Gateway
beforeEach(async () => {
  gateway = await startGateway()
})
afterEach(() => gateway[Symbol.asyncDispose]())

const serve = () => serveOverPipes(gateway)

const modernCall = (name: string, input: object = {}, more: object = {}) =>
  ({ body: modernRequest('tools/call', { name: `probe__${name}`, arguments: input, ...more }).body }) as {
    body: { id: number }
  }
const cancel = (requestId: unknown) => ({
  jsonrpc: '2.0',
  method: 'notifications/cancelled',
  params: { requestId },
})
const ping = legacyRequest('ping')

describe('over standard input and output', () => {
  it('both eras are served side by side', async () => {
    const { client } = serve()
    const discovered = await client.ask(modernRequest('server/discover'))
    expect(discovered.result).toMatchObject({ resultType: 'complete', supportedVersions: expect.any(Array) })
    const initialized = await client.ask(legacyRequest('initialize', { protocolVersion: '2026-07-28' }))
    expect(initialized.result).toMatchObject({ protocolVersion: '2025-11-25' })
    client.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
    expect((await client.ask(ping)).result).toEqual({})
    expect((await client.ask(modernRequest('ping'))).error?.code).toBe(-32601)
    expect((await client.ask(modernCall('echo', { a: 1 }))).result).toMatchObject({ resultType: 'complete' })
    const called = await client.ask(legacyRequest('tools/call', { name: 'probe__echo', arguments: { a: 1 } }))
    expect(called.result).toEqual({
      content: [{ type: 'text', text: '{"echo":{"a":1}}' }],
      structuredContent: { echo: { a: 1 } },
    })
  })

  it('misuse is answered under its id where it has one', async () => {
    const { client } = serve()
    for (const [line, id, code] of [
      ['{"jsonrpc":"2.0","id":', undefined, -32700],
      ['{"jsonrpc":"1.0","id":7,"method":"ping"}', 7, -32600],
      ['{"jsonrpc":"2.0","id":null,"method":"ping"}', undefined, -32600],
      ['7', undefined, -32600],
      ['{"__proto__":1}', undefined, -32600],
      ['['.repeat(100), undefined, -32600],
    ] as const) {
      client.write(line)
      const { id: answered, error } = await client.next()
      expect([line.slice(0, 50), answered, error?.code]).toEqual([line.slice(0, 50), id, code])
    }
    const _meta = modernMeta({ 'io.modelcontextprotocol/protocolVersion': '1900-01-01' })
    expect((await client.ask(modernRequest('tools/list', { _meta }))).error?.code).toBe(-32022)
    expect((await client.ask(ping)).result).toEqual({})
  })

  it('progress comes before its answer, under the client’s token; nothing comes after it', async () => {
    const { client } = serve()
    const _meta = modernMeta({ progressToken: 'p' })
    client.write(modernCall('progress', { steps: 2 }, { _meta }).body)
    const all = [await client.next(), await client.next(), await client.next()]
    expect(all.map(({ params }) => params?.['progress'])).toEqual([1, 2, undefined])
    const emitted = gateway.probe.when('late:emitted')
    expect((await client.ask(modernCall('late', {}, { _meta }))).result).toBeDefined()
    await emitted
    expect((await client.ask(ping)).result).toEqual({})
  })

  it('an id in use is refused, so that no call slips the bound, a cancellation or the client’s end', async () => {
    const { client } = serve()
    const request = modernCall('slow')
    const [started, aborted] = [gateway.probe.when('slow'), gateway.probe.when('slow:aborted')]
    client.write(request.body)
    await started
    expect((await client.ask({ body: { ...(ping.body as object), id: request.body.id } })).error?.code).toBe(
      -32600,
    )
    client.write(cancel(request.body.id))
    await aborted
    expect((await client.ask(ping)).result).toEqual({})
  })

  it('R12: a cancelled call is stopped within 100 ms, and no word is said of it', async () => {
    const { client } = serve()
    const request = modernCall('slow')
    const [started, aborted] = [gateway.probe.when('slow'), gateway.probe.when('slow:aborted')]
    client.write(request.body)
    await started
    client.write(cancel('another'))
    const cancelledAt = performance.now()
    client.write(cancel(request.body.id))
    await aborted
    expect(performance.now() - cancelledAt).toBeLessThan(100)
    expect((await client.ask(ping)).result).toEqual({})
    expect(client.unread).toEqual([])
  })

  it.each([
    'end',
    'destroy',
  ] as const)('R12: a client that leaves (%s) stops its calls and ends the service', async (how) => {
    const { client, input, served } = serve()
    const [started, aborted] = [gateway.probe.when('slow'), gateway.probe.when('slow:aborted')]
    client.write(modernCall('slow').body)
    await started
    input[how]()
    await Promise.all([aborted, served])
  })

  it('R12: a broken output ends the service as if the client had left', async () => {
    const { client, output, served } = serve()
    const [started, aborted] = [gateway.probe.when('slow'), gateway.probe.when('slow:aborted')]
    client.write(modernCall('slow').body)
    await started
    output.destroy(new Error('EPIPE'))
    await Promise.all([aborted, served])
  })

  it('R20: a line longer than 4 MiB is refused, and ends the service', async () => {
    const { client, input, served } = serve()
    input.write(`"${'x'.repeat(4 * 1024 * 1024)}`)
    const { error } = await client.next()
    expect(error).toMatchObject({ code: -32600, data: { weirCode: 'BODY_TOO_LARGE' } })
    await served
  })

  it('R20: batches are answered before 2025-06-18, up to 100, and refused after', async () => {
    const { client } = serve()
    client.write([ping.body, cancel('none'), legacyRequest('ping').body])
    expect([(await client.next()).result, (await client.next()).result]).toEqual([{}, {}])
    for (const batch of [[], Array(101).fill(ping.body)]) {
      client.write(batch)
      expect((await client.next()).error?.code).toBe(-32600)
    }
    await client.ask(legacyRequest('initialize', { protocolVersion: '2025-11-25' }))
    client.write([ping.body])
    expect((await client.next()).error?.code).toBe(-32600)
  })

  it('changes are told to a legacy client after initialize, and to a modern one that listens', async () => {
    const { client } = serve()
    gateway.probe.addTool('early')
    await client.ask(legacyRequest('initialize'))
    const request = modernRequest('subscriptions/listen', { notifications: { toolsListChanged: true } })
    const { id } = request.body as { id: number }
    const _meta = { 'io.modelcontextprotocol/subscriptionId': id }
    expect((await client.ask(request)).method).toBe('notifications/subscriptions/acknowledged')
    gateway.probe.addTool('added')
    expect([(await client.next()).params, (await client.next()).params]).toEqual([undefined, { _meta }])
    client.write(cancel(id))
    gateway.probe.addTool('unheard')
    expect((await client.next()).method).toBe('notifications/tools/list_changed')
    expect((await client.ask(ping)).result).toEqual({})
  })

  it('a listener is answered when Weir stops', async () => {
    const { client } = serve()
    const request = modernRequest('subscriptions/listen', { notifications: {} })
    await client.ask(request)
    await gateway.weir.close()
    expect(await client.next()).toMatchObject({
      id: (request.body as { id: number }).id,
      result: { resultType: 'complete' },
    })
  })

  it('R21: a client that does not read is not read from, and what waits for it is bounded', async () => {
    const { input, output } = serve()
    output.removeAllListeners('data').pause()
    const flooded = gateway.probe.when('flood:done')
    const _meta = modernMeta({ progressToken: 1 })
    input.write(`${JSON.stringify(modernCall('flood', { count: 400, bytes: 50_000 }, { _meta }).body)}\n`)
    await flooded
    expect(output.writableLength).toBeLessThan(1.2 * 1024 * 1024)
    const line = `${JSON.stringify(modernCall('huge', { bytes: 4_000_000 }).body)}\n`
    for (let count = 0; count < 40; count += 1) {
      input.write(line)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(input.isPaused()).toBe(true)
    expect(output.writableLength).toBeLessThan(30 * 1024 * 1024)
    const answers = new PipeClient(input, output.resume())
    while ((await answers.next()).id !== JSON.parse(line).id);
    expect(input.isPaused()).toBe(false)
  })
})

describe('as a process', () => {
  it('serves its client and ends when that leaves, with its calls', async () => {
    const fixture = new URL('./stdio-child.fixture.ts', import.meta.url).pathname
    const child = spawn(process.execPath, [fixture], { stdio: ['pipe', 'pipe', 'inherit'] })
    const exited = once(child, 'exit')
    const client = new PipeClient(child.stdin, child.stdout)
    expect((await client.ask(modernCall('echo', { a: 1 }))).result).toMatchObject({ resultType: 'complete' })
    client.write(modernCall('slow').body)
    expect((await client.ask(ping)).result).toEqual({})
    child.stdin.end()
    expect((await exited)[0]).toBe(0)
  })
})
