import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { embedWeir, type Weir } from '../../app.ts'
import { type Connector, defineConnector } from '../../core/connector.ts'
import { silentLogger } from '../../core/logger.ts'
import { jsonSchema } from '../../core/schema.ts'
import { createMetrics } from '../../telemetry/metrics.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { createHttpServer } from '../shared/http-server.ts'
import { operations } from './operations.ts'
import { createReadiness } from './readiness.ts'

let weir: Weir | undefined
afterEach(async () => {
  await weir?.close(0)
  weir = undefined
})

/** A connector that opens, or fails to, when it is told. */
function createHeld() {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const connector = defineConnector<object>({
    type: 'held',
    summary: 'Waits.',
    config: z.object({}),
    async open(_config, { signal }) {
      const stopped = new Promise<never>((_resolve, stop) =>
        signal.addEventListener('abort', () => stop(signal.reason)),
      )
      await Promise.race([promise, stopped])
      return {
        targets: () => [
          {
            kind: 'tool',
            name: 'say',
            description: 'Says.',
            effect: 'read',
            input: jsonSchema({ type: 'object' }),
            run: async () => ({}),
          },
        ],
        check: async () => {},
        close: async () => {},
      }
    },
  })
  return { connector: connector as Connector, up: resolve, fail: reject }
}

async function serve(connections: Readonly<Record<string, unknown>>, connectors: readonly Connector[]) {
  weir = embedWeir({ connectors, config: { connections, server: { port: 0 }, log: { level: 'silent' } } })
  const { url } = await weir.listen()
  return { weir, get: (path: string) => fetch(`${url}${path}`) }
}

describe('GET /health', () => {
  it('D4-016, C-17: answers exactly healthy and the time, whatever the connections do', async () => {
    const { get } = await serve({ slow: { type: 'held' } }, [createHeld().connector])
    const beforeMs = Date.now()
    const response = await get('/health')
    const body = (await response.json()) as { timestamp: string }
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/^application\/json/)
    expect(body).toEqual({ status: 'healthy', timestamp: expect.any(String) })
    expect(new Date(body.timestamp).toISOString()).toBe(body.timestamp)
    expect(Date.parse(body.timestamp)).toBeGreaterThanOrEqual(beforeMs)
  })
})

describe('GET /livez', () => {
  it('answers while anything answers', async () => {
    const { get } = await serve({}, [])
    const response = await get('/livez')
    expect([response.status, await response.json()]).toEqual([200, { status: 'alive' }])
  })
})

describe('GET /readyz', () => {
  const read = async (response: Response) => [response.status, await response.json()]

  it('is starting while a connection opens, and ready when it is up', async () => {
    const held = createHeld()
    const { weir, get } = await serve({ slow: { type: 'held' } }, [held.connector])
    expect(await read(await get('/readyz'))).toEqual([503, { status: 'starting', connections: 1, up: 0 }])
    held.up()
    await weir.catalog.settled(5_000)
    expect(await read(await get('/readyz'))).toEqual([200, { status: 'ready', connections: 1, up: 1 }])
  })

  it('R6: is ready though a connection is down, and says no more than how many are up', async () => {
    const [held, other] = [createHeld(), createHeld()]
    const bad = { ...other.connector, type: 'bad' }
    const { weir, get } = await serve({ good: { type: 'held' }, bad: { type: 'bad' } }, [held.connector, bad])
    held.up()
    other.fail(new Error('canary'))
    await weir.catalog.settled(5_000)
    expect(await read(await get('/readyz'))).toEqual([200, { status: 'ready', connections: 2, up: 1 }])
  })

  it('is stopping once Weir has begun to stop, whatever is up', async () => {
    const server = createHttpServer({ allowedHosts: [], allowedOrigins: [] }, silentLogger)
    const catalog = {
      find: () => undefined,
      candidates: () => [],
      view: () => undefined,
      search: async () => [],
      connections: () => [
        { name: 'box', type: 'x', state: 'up', tools: 1, resources: 0, prompts: 0 } as const,
      ],
      settled: async () => {},
      proven: async () => {},
    }
    const clock = createFakeClock()
    const readiness = createReadiness(clock)
    operations(server, { catalog, metrics: createMetrics(), clock, readiness })
    const ask = async () => {
      const { statusCode, body } = await server.inject({ url: '/readyz', headers: { host: 'localhost' } })
      return [statusCode, JSON.parse(body)]
    }
    expect(await ask()).toEqual([200, { status: 'ready', connections: 1, up: 1 }])
    void readiness.announceStop(0)
    expect(await ask()).toEqual([503, { status: 'stopping', connections: 1, up: 1 }])
  })
})

describe('GET /metrics', () => {
  it('D4-083, D4-084, D4-085: answers in the Prometheus format what was called since', async () => {
    const held = createHeld()
    held.up()
    const { weir, get } = await serve({ box: { type: 'held' } }, [held.connector])
    await weir.catalog.settled(5_000)
    const before = await get('/metrics')
    expect(before.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(await before.text()).toContain('# TYPE mcp_active_tools gauge\nmcp_active_tools 0\n')
    const body = JSON.stringify({ tools: [{ tool_slug: 'box:say' }, { tool_slug: 'box:say' }] })
    const { url } = before
    await fetch(new URL('/mcp/execute', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    const text = await (await get('/metrics')).text()
    expect(text).toContain('mcp_tool_executions_total{tool="box:say",status="success"} 2\n')
    expect(text).toContain('mcp_tool_duration_seconds_count{tool="box:say"} 2\n')
  })
})
