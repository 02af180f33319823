import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Client as PgClient } from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { embedWeir, type Weir } from '../../src/app.ts'
import { openRelay, type Relay } from '../../src/connectors/queue/relay.fixture.ts'
import { describeWith } from '../services/describe-with.ts'

const name = `weir_test_${randomBytes(5).toString('hex')}`

interface Reply {
  readonly data?: { readonly results: readonly { readonly response: unknown }[] }
  readonly error?: string
}

// A database, a broker and an API that are dead when Weir starts, each behind a relay that can let it live.
describeWith('postgres', 'systems that are down at the start', (postgres) => {
  describeWith('redis', 'and come up later', (redis) => {
    const relays: Relay[] = []
    const api = createServer((_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}'),
    )
    let weir: Weir
    let url: string

    beforeAll(async () => {
      await asAdmin(`create role ${name} login`)
      api.listen(0, '127.0.0.1')
      await once(api, 'listening')
      const origin = `http://127.0.0.1:${(api.address() as AddressInfo).port}`
      for (const [target, port] of [
        [postgres, 5432] as const,
        [redis, 6379] as const,
        [origin, 80] as const,
      ]) {
        const relay = await openRelay(target, port)
        relay.cut()
        relays.push(relay)
      }
      const [database, broker, service] = relays.map((relay) => new URL(relay.url))
      database!.username = name
      weir = embedWeir({
        config: {
          log: { level: 'silent' },
          // Calls that fail open a circuit, which would leave each system alone for a minute.
          policies: { '*': { breaker: { recovery: '500ms' } } },
          connections: {
            database: { type: 'sql', databases: { main: { url: database!.href } } },
            queue: { type: 'queue', brokers: { default: { url: broker!.href } } },
            api: { type: 'http', apis: { service: { baseUrl: service!.href, allowPrivate: true } } },
            well: { type: 'http', apis: { service: { baseUrl: origin, allowPrivate: true } } },
          },
        },
      })
      url = (await weir.listen({ port: 0 })).url
    })

    afterAll(async () => {
      await weir.close(0)
      for (const relay of relays) await relay.close()
      api.close()
      await asAdmin(`drop role ${name}`)
    })

    const asAdmin = async (statement: string) => {
      const client = new PgClient(postgres)
      await client.connect()
      await client.query(statement).finally(() => client.end())
    }
    const states = () => Object.fromEntries(weir.catalog.connections().map((each) => [each.name, each.state]))
    const execute = async (tool: string, input: object) => {
      const body = JSON.stringify({ tools: [{ tool_slug: tool, arguments: input }] })
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`${url}/mcp/execute`, { method: 'POST', headers, body })
      return (await answer.json()) as Reply
    }
    const calls = {
      database: () => execute('database:execute_query', { query: 'select 1 as n', database: 'main' }),
      queue: () => execute('queue:queue_receive', { queue_name: name, connection: 'default', timeout: 0 }),
      api: () => execute('api:http_request', { api_name: 'service', method: 'GET', url: '/' }),
    }

    it('Weir starts, shows each as down with its cause, and serves what is well', async () => {
      await expect
        .poll(states, { timeout: 15_000 })
        .toEqual({ database: 'down', queue: 'down', api: 'down', well: 'up' })
      for (const { name: connection, cause } of weir.catalog.connections()) {
        if (connection !== 'well') expect(cause, connection).toMatch(/main|default|service/)
      }
      expect(
        await execute('well:http_request', { api_name: 'service', method: 'GET', url: '/' }),
      ).toMatchObject({
        data: { results: [{ response: { status_code: 200, data: { ok: true } } }] },
      })
      for (const call of Object.values(calls)) {
        expect(await call()).toMatchObject({
          data: { results: [{ successful: false, error_detail: { retryable: true } }] },
        })
      }
    })

    it('each heals when its system comes back, without a restart', { timeout: 40_000 }, async () => {
      for (const relay of relays) relay.mend()
      for (const [connection, call] of Object.entries(calls)) {
        await expect
          .poll(async () => JSON.stringify(await call()), { timeout: 15_000, message: connection })
          .not.toContain('error_detail')
      }
      await expect
        .poll(states, { timeout: 15_000 })
        .toEqual({ database: 'up', queue: 'up', api: 'up', well: 'up' })
    })
  })
})
