import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { createFakeClock, type FakeClock } from '../testing/fake-clock.ts'
import { type Canary, startCanary, startRawServer } from './canary.fixture.ts'
import { createEgress } from './create-egress.ts'
import { type Egress, poolPresets } from './egress.ts'
import { exposePools } from './expose-pools.ts'

let egress: Egress
let canary: Canary
let clock: FakeClock
beforeEach(async () => {
  clock = createFakeClock()
  egress = createEgress({ log: silentLogger, clock })
  canary = await startCanary()
})
afterEach(async () => {
  await egress.close()
  await canary[Symbol.asyncDispose]()
})

const single = { allowPrivate: true, connectionsPerOrigin: 1 }

describe('what the sockets have done', () => {
  it('D1-087, B-49: counts sockets, by the exact names, and their requests beside them', async () => {
    const client = egress.client(single)
    const target = client.target(canary.origin)
    for (let at = 0; at < 4; at++) await target.request({})
    const gone = canary.socketClosed()
    canary.server.closeAllConnections()
    await gone
    await target.request({ isCheck: true })
    const { targets, ...counts } = client.stats()
    expect(counts).toEqual({
      connections_created: 2,
      connections_reused: 1,
      connections_closed: 1,
      health_checks_performed: 1,
      total_requests: 5,
      connection_errors: 0,
      active_connections: 1,
      connection_reuse_rate: 50,
      average_requests_per_connection: 2.5,
    })
    expect(canary.connections()).toBe(2)
    expect(Object.keys(targets)).toEqual([canary.origin])
  })

  it('D1-087: of each target, when it was made and last used, and how often', async () => {
    const client = egress.client(single)
    const start = clock.now()
    const target = client.target(canary.origin)
    await target.request({})
    await clock.advance(3_000)
    await target.request({})
    await clock.advance(500)
    expect(client.stats().targets[canary.origin]).toEqual({
      created_at: start,
      last_used: start + 3_000,
      age: 3_500,
      idle: 500,
      request_count: 2,
    })
  })

  it('B-49: is kept by origin: another port is another target, with sockets of its own', async () => {
    await using other = await startCanary()
    const client = egress.client({ allowPrivate: true })
    await client.request(canary.origin, {})
    await client.request(other.origin, {})
    await client.request(`${other.origin}/again?x=1`, {})
    const counts = Object.entries(client.stats().targets).map(([origin, { request_count }]) => [
      origin,
      request_count,
    ])
    expect(counts).toEqual([
      [canary.origin, 1],
      [other.origin, 2],
    ])
  })

  it('D1-087: errors are sockets that did not open, and sockets that broke, not those that were given up', async () => {
    await using raw = await startRawServer((socket) => socket.once('data', () => socket.resetAndDestroy()))
    await using silent = await startRawServer(() => {})
    const client = egress.client(single)
    const closed = await startCanary()
    await closed[Symbol.asyncDispose]()
    await client.request(closed.origin, {}).catch(() => undefined)
    expect(client.stats()).toMatchObject({ connection_errors: 1, connections_created: 0 })
    await client.request(raw.origin, {}).catch(() => undefined)
    expect(client.stats()).toMatchObject({ connection_errors: 2, connections_created: 1 })
    const signal = AbortSignal.timeout(20)
    await client.request(silent.origin, { signal }).catch(() => undefined)
    expect(client.stats()).toMatchObject({ connection_errors: 2, connections_created: 2 })
  })
})

describe('the metrics', () => {
  it('D1-087: show every count by the name of the client, what closed ones did included', async () => {
    const metrics = createMetrics()
    exposePools(egress, metrics)
    for (const name of ['crm', 'crm', 'shop']) {
      const client = egress.client({ ...single, name })
      await client.request(canary.origin, {})
      await client.request(canary.origin, {})
      if (name === 'crm') await client.close()
    }
    const lines = metrics.render().split('\n')
    const of = (name: string) => lines.filter((line) => line.startsWith(`weir_egress_${name}`))
    expect(of('connections_created_total')).toEqual([
      'weir_egress_connections_created_total{client="crm"} 2',
      'weir_egress_connections_created_total{client="shop"} 1',
    ])
    expect(of('total_requests')[0]).toBe('weir_egress_total_requests{client="crm"} 4')
    expect(of('active_connections')).toEqual([
      'weir_egress_active_connections{client="crm"} 0',
      'weir_egress_active_connections{client="shop"} 1',
    ])
    expect(of('connection_reuse_rate')[0]).toBe('weir_egress_connection_reuse_rate{client="crm"} 100')
    const names = Object.keys(egress.client().stats()).filter((name) => name !== 'targets')
    for (const name of names)
      expect(
        lines.some((line) => line.includes(`weir_egress_${name}`)),
        name,
      ).toBe(true)
  })

  it('D1-087: tell at most 1,000 names apart; the others share one', async () => {
    for (let at = 0; at < 1_005; at++) await egress.client({ name: `n${at}` }).close()
    const stats = egress.stats()
    expect([stats.size, stats.has('_other')]).toEqual([1_001, true])
  })
})

describe('presets', () => {
  it('C-08, D0-031, D1-015, D1-031, D1-060: have the numbers of the documents', () => {
    const numbers = Object.values(poolPresets).map((one) => [
      one.connectionsMax,
      one.connectionsPerOrigin,
      one.idleTimeoutMs,
      one.http2,
    ])
    expect(numbers).toEqual([
      [100, 30, 4_000, false],
      [20, 20, 4_000, true],
      [100, 50, 300_000, true],
      [50, 25, 300_000, true],
    ])
  })

  it.each([
    ['no preset', {}, 30],
    ['small', { preset: 'small' }, 20],
    ['shared', { preset: 'shared' }, 50],
    ['external', { preset: 'external' }, 25],
    ['a number beside it', { preset: 'external', connectionsPerOrigin: 3 }, 3],
  ] as const)('C-08: %s: so many requests at once to one origin, and no more', async (_what, options, most) => {
    let [running, peak] = [0, 0]
    const held: Array<() => void> = []
    await using slow = await startCanary((_request, response) => {
      running++
      peak = Math.max(peak, running)
      held.push(() => {
        running--
        response.end()
      })
    })
    const client = egress.client({ allowPrivate: true, ...options })
    const asked = Array.from({ length: most + 10 }, () => client.request(slow.origin, {}))
    while (running < most) await new Promise(setImmediate)
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    let isDone = false
    const all = Promise.all(asked).then(() => {
      isDone = true
    })
    while (!isDone) {
      held.shift()?.()
      await new Promise(setImmediate)
    }
    await all
    expect(peak).toBe(most)
  })
})
