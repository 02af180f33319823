import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, vi } from 'vitest'
import { Place } from '../../src/cli/spawn-weir.fixture.ts'

const patience = { timeout: 60_000 }

/** A payment service of a process of its own, so that it outlives every Weir. */
async function startService(answer: RequestListener) {
  const seen: string[] = []
  const server = createServer((request, response) => {
    // Weir looks from time to time whether the service is there.
    if (request.method === 'HEAD') return void response.end()
    seen.push(`${request.method} ${request.url}`)
    return answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { seen, url: `http://127.0.0.1:${port}`, close: () => server.closeAllConnections() }
}

/** A Weir in front of it. */
async function openGateway(baseUrl: string) {
  const place = new Place({
    connections: {
      api: { type: 'http', apis: { pay: { baseUrl, allowPrivate: true, pool: { connectionsMax: 1 } } } },
    },
    policies: { '*': { timeout: '2s' } },
    log: { level: 'silent' },
    server: { port: 0 },
  })
  let weir = await place.serve('start')
  const input = (amount: number) => ({ api_name: 'pay', method: 'POST', url: '/charge', body: { amount } })
  const execute = (tool: unknown, key?: string) =>
    fetch(`${weir.url}/mcp/execute`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      body: JSON.stringify({ tools: [{ tool_slug: 'api:http_request', arguments: tool }] }),
    })
  const charge = async (key: string, amount = 5) => {
    const response = await execute(input(amount), key)
    const [item] = JSON.parse(await response.text()).data.results
    return { status: response.status, retryAfter: response.headers.get('retry-after'), item }
  }
  return {
    ...{ charge, input, execute },
    /** How many keys are durably taken. */
    taken() {
      const store = new DatabaseSync(join(place.dir, '.weir/weir.db'), { readOnly: true })
      const [row] = store.prepare('select count(*) as n from idempotency_keys').all()
      store.close()
      return row?.['n']
    },
    get weir() {
      return weir
    },
    async kill() {
      await weir.stop('SIGKILL')
    },
    async restart() {
      weir = await place.serve('start')
    },
    /** What the key's owner is told once nobody can be running the call any more. */
    settled: (key: string) =>
      vi.waitFor(
        async () => {
          const answer = await charge(key)
          if (answer.item.error_detail?.code === 'IDEMPOTENCY_IN_FLIGHT') throw new Error('in flight')
          return answer.item
        },
        { timeout: 20_000, interval: 300 },
      ),
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  }
}

describe('R2, C-24: calls with a key, over HTTP to a service that counts', () => {
  it(
    'fifty duplicates at once are one request; the others hear 409, and later the same answer',
    patience,
    async () => {
      const service = await startService((_, response) => {
        setTimeout(() => response.setHeader('content-type', 'application/json').end('{"paid":5}'), 300)
      })
      await using gateway = await openGateway(service.url)
      const all = await Promise.all(Array.from({ length: 50 }, () => gateway.charge('one')))
      expect(service.seen).toEqual(['POST /charge'])
      const done = all.filter(({ status }) => status === 200)
      expect(done).toHaveLength(1)
      for (const { status, retryAfter, item } of all.filter((each) => each !== done[0])) {
        expect([status, retryAfter, item.error_detail.code]).toEqual([409, '1', 'IDEMPOTENCY_IN_FLIGHT'])
      }
      const again = await gateway.charge('one')
      expect(again.item).toEqual({ ...done[0]!.item, replayed: true })
      const other = await gateway.charge('one', 500)
      expect([other.status, other.item.error_detail.code]).toEqual([422, 'IDEMPOTENCY_MISMATCH'])
      expect(await gateway.charge('x'.repeat(256)).catch(() => 'refused')).toBe('refused')
      expect(service.seen).toHaveLength(1)
      await gateway.charge('two')
      expect(service.seen).toHaveLength(2)
      service.close()
    },
  )

  it('takes the key of an MCP call from its _meta, and marks the replay', patience, async () => {
    const service = await startService((_, response) => response.end('paid'))
    await using gateway = await openGateway(service.url)
    const call = async (key: unknown) => {
      const params = {
        ...{ name: 'api__http_request', arguments: gateway.input(5) },
        _meta: { 'weir/idempotencyKey': key },
      }
      const response = await fetch(`${gateway.weir.url}/mcp`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
      })
      return JSON.parse(await response.text())
    }
    const first = (await call('k')).result
    const second = (await call('k')).result
    expect(second).toEqual({ ...first, _meta: { 'weir/replayed': true } })
    for (const bad of [5, '', 'a\u0007', 'x'.repeat(256)]) expect(await call(bad)).toHaveProperty('error')
    expect(service.seen).toHaveLength(1)
    service.close()
  })
})

describe('R2: a Weir that is killed on the way', () => {
  it.each([
    ['after it was sent', () => {}],
    [
      'after the effect, in the middle of the answer',
      (_: unknown, response: { write(text: string): void; writeHead(code: number): void }) => {
        response.writeHead(200)
        response.write('{"pa')
      },
    ],
  ] as const)('%s: nobody knows, and it is never sent again', patience, async (_, answer) => {
    const service = await startService(answer as RequestListener)
    await using gateway = await openGateway(service.url)
    const lost = gateway.charge('one').catch(() => 'lost')
    await vi.waitFor(() => expect(service.seen).toHaveLength(1), { timeout: 10_000 })
    await gateway.kill()
    expect(await lost).toBe('lost')
    await gateway.restart()
    expect((await gateway.charge('one')).status).toBe(409)
    expect((await gateway.settled('one')).error_detail.code).toBe('OUTCOME_UNKNOWN')
    expect(service.seen).toHaveLength(1)
    service.close()
  })

  it('before it was sent: nobody knows, and it is never sent by itself', patience, async () => {
    const service = await startService(() => {})
    await using gateway = await openGateway(service.url)
    // The only connection is busy, so the call waits for it with its key taken.
    const busy = gateway.execute({ ...gateway.input(1), url: '/hold' }).catch(() => 'lost')
    await vi.waitFor(() => expect(service.seen).toHaveLength(1), { timeout: 10_000 })
    const lost = gateway.charge('one').catch(() => 'lost')
    await vi.waitFor(() => expect(gateway.taken()).toBe(1), { timeout: 2_000, interval: 20 })
    await gateway.kill()
    expect(await Promise.all([busy, lost])).toEqual(['lost', 'lost'])
    await gateway.restart()
    expect((await gateway.settled('one')).error_detail.code).toBe('OUTCOME_UNKNOWN')
    expect(service.seen).toEqual(['POST /hold'])
    service.close()
  })

  it('before the answer was kept: it is known or it is not, and never sent again', patience, async () => {
    let pid = 0
    const service = await startService((_, response) => {
      response.setHeader('content-type', 'application/json')
      response.end('{"paid":5}', () => void (pid === 0 || process.kill(pid, 'SIGKILL')))
    })
    await using gateway = await openGateway(service.url)
    pid = gateway.weir.child.pid!
    await gateway.charge('one').catch(() => 'lost')
    await gateway.weir.ended
    pid = 0
    await gateway.restart()
    const { successful, replayed, error_detail: error } = await gateway.settled('one')
    if (successful) expect(replayed).toBe(true)
    else expect(error.code).toBe('OUTCOME_UNKNOWN')
    expect(service.seen).toHaveLength(1)
    service.close()
  })
})
