import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { renderError } from '../../core/error.ts'
import { silentLogger } from '../../core/logger.ts'
import { createEgress } from '../../egress/create-egress.ts'
import { compileJsonSchema } from '../../execution/json-schema-validator.ts'
import { describeConnector } from '../../testing/describe-connector.ts'
import { callApi, callTool, createWorld, failure, listen, type RealServer } from './http.fixture.ts'
import { createHttpConnector } from './http.ts'

const secret = 'c4nary-of-the-connector'
const { signal } = new AbortController()

describe('D0-030, B-33: the connector', () => {
  const egress = createEgress({ log: silentLogger })
  let server: RealServer
  beforeAll(async () => {
    server = await listen((request, response) => {
      if (!request.url!.endsWith('/slow')) response.end('{}')
    })
  })
  afterAll(async () => {
    server.server.closeAllConnections()
    server.server.close()
    await egress.close()
  })

  const oauth = { tokenUrl: 'http://127.0.0.1:1/token', clientId: 'weir', clientSecret: secret }
  const everything = () => ({
    apis: {
      crm: {
        ...{ baseUrl: server.origin, allowPrivate: true, auth: { bearer: secret } },
        resources: {
          user: {
            path: '/users',
            model: { id: 'string', at: { type: 'date-time', nullable: true } },
            operations: {
              get: {},
              list: {},
              create: { idempotencyHeader: 'X-Once' },
              update: {},
              delete: {},
            },
          },
        },
        calls: { ping: { path: '/ping/{host}', query: { n: 'integer' }, result: { ok: 'boolean' } } },
      },
    },
    webhooks: { targets: ['https://x.example'], secrets: { a: { secret } } },
  })
  const bad = (more: object) => ({ apis: { crm: { baseUrl: 'https://x.example', ...more } } })

  describeConnector(createHttpConnector({ egress, compileSchema: compileJsonSchema }), {
    config: everything,
    badConfigs: [
      { config: {}, field: 'apis' },
      { config: bad({ baseUrl: `https://a:${secret}@x.example` }), field: 'apis.crm.baseUrl' },
      { config: bad({ auth: { bearer: secret, apiKey: secret } }), field: 'apis.crm.auth' },
      { config: bad({ retries: 3 }), field: 'apis.crm.retries' },
      {
        config: { ...bad({}), webhooks: { secrets: { a: { secret } } } },
        field: 'webhooks.secrets.a.targets',
      },
    ],
    deadConfig: () => bad({ baseUrl: 'http://127.0.0.1:1', allowPrivate: true, auth: { oauth } }),
    secret,
    slowCall: { tool: 'http_request', input: { api_name: 'crm', method: 'GET', url: 'slow' } },
  })
})

describe('APIs that are down', () => {
  it('do not keep the connection from opening, fail alone and retryably, and heal by themselves', async () => {
    const world = await createWorld()
    try {
      const gone = await listen(() => {})
      gone.server.close()
      const api = (baseUrl: string) => ({ baseUrl, allowPrivate: true, auth: { bearer: secret } })
      const connection = await world.open({ up: api(world.upstream.origin), down: api(gone.origin) })
      expect((await callApi(connection, { api_name: 'up', url: 'x' })).success).toBe(true)
      const error = renderError(await failure(callApi(connection, { api_name: 'down', url: 'x' })))
      expect([error.code, error.retryable, error.data?.['sent']]).toEqual([
        'UPSTREAM_UNREACHABLE',
        true,
        false,
      ])
      expect((await failure(connection.check(signal))).message).toMatch(/^API down: /)
      const back = await listen((_request, response) => response.end('{}'), Number(new URL(gone.origin).port))
      expect((await callApi(connection, { api_name: 'down', url: 'x' })).success).toBe(true)
      await connection.check(signal)
      back.server.closeAllConnections()
      back.server.close()
    } finally {
      await world.close()
    }
  })

  it('are all named by one check, which asks them at the same time and without a credential', async () => {
    const world = await createWorld()
    try {
      const silent = await listen(() => {})
      const api = { baseUrl: silent.origin, allowPrivate: true, auth: { bearer: secret } }
      const names = Array.from({ length: 30 }, (_, index) => `api${index}`)
      const connection = await world.open({
        ...Object.fromEntries(names.map((name) => [name, api])),
        up: { ...api, baseUrl: world.upstream.origin },
      })
      const began = performance.now()
      const error = await failure(connection.check(signal))
      // Each may take five seconds; one after the other they would take 150.
      expect(performance.now() - began).toBeLessThan(20_000)
      expect([error.code, error.data?.['down']]).toEqual(['UPSTREAM_TIMEOUT', names])
      expect(error.message).toMatch(/ Also down: api1, api2, api3, api4, api5 and 24 more\.$/)
      expect(silent.seen.length).toBe(30)
      expect(silent.seen.some(({ request }) => request.headers.authorization !== undefined)).toBe(false)
      silent.server.closeAllConnections()
      silent.server.close()
    } finally {
      await world.close()
    }
  }, 30_000)

  it('a connection has a hundred of them at most', async () => {
    const world = await createWorld()
    const apis = (count: number) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, index) => [`a${index}`, { baseUrl: 'https://x.example' }]),
      )
    expect(() => world.connector.config.parse({ apis: apis(101) })).toThrow('at most 100')
    expect(Object.keys(world.connector.config.parse({ apis: apis(100) }).apis).length).toBe(100)
    await world.close()
  })
})

describe('B-60, B-61, D2-013: one way to send for every tool and method', () => {
  it('whichever tool sends it, a request has the API’s timeout, size cap, redaction and credential', async () => {
    const world = await createWorld()
    try {
      const { upstream } = world
      const crm = {
        ...{ baseUrl: upstream.origin, allowPrivate: true, auth: { bearer: secret } },
        ...{ timeoutMs: 1_000, responseBytesMax: 2_000 },
        calls: {
          post_it: { method: 'POST', path: '/x', body: { how: 'string' } },
          read_it: { path: '/x' },
        },
      }
      const connection = await world.open({ crm })
      const ways: readonly ((body: object) => Promise<unknown>)[] = [
        () => callTool(connection, 'read_it', {}),
        (body) => callTool(connection, 'post_it', { how: JSON.stringify(body) }),
        (body) => callApi(connection, { method: 'POST', url: 'x', body }),
        () => callTool(connection, 'http_request_pages', { api_name: 'crm', url: 'x' }),
      ]
      for (const send of ways) {
        upstream.answer = () => {}
        expect((await failure(send({}))).code).toBe('UPSTREAM_TIMEOUT')
        upstream.answer = (_request, response) => response.end('a'.repeat(3_000))
        expect((await failure(send({}))).code).toBe('RESPONSE_TOO_LARGE')
        upstream.answer = (request, response) => response.end(JSON.stringify([request.headers.authorization]))
        const text = JSON.stringify(await send({}))
        expect(text).toContain('Bearer [redacted]')
        expect(text).not.toContain(secret)
      }
      expect(upstream.seen.every(({ request }) => request.headers.authorization === `Bearer ${secret}`)).toBe(
        true,
      )
      await connection.close()
      for (const send of ways) expect((await failure(send({}))).code).toBe('CONNECTION_UNAVAILABLE')
    } finally {
      await world.close()
    }
  })
})
