import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import type { Connection } from '../../core/connector.ts'
import { WeirError } from '../../core/error.ts'
import { isTool } from '../../core/tool.ts'
import { callTool, createWorld, failure, type RealServer } from './http.fixture.ts'

const bearer = 'S3cret-Bearer-Token'

let world: Awaited<ReturnType<typeof createWorld>>
let upstream: RealServer
let canary: RealServer
let connection: Connection
beforeEach(async () => {
  world = await createWorld()
  ;({ upstream, canary } = world)
  connection = await open()
})
afterEach(() => world.close())

const open = (more: Record<string, unknown> = {}) =>
  world.open({ crm: { baseUrl: `${upstream.origin}/v1`, allowPrivate: true, auth: { bearer }, ...more } })

const batch = (
  requests: readonly Record<string, unknown>[],
  context?: { readonly signal?: AbortSignal; readonly deadlineMs?: number },
) =>
  callTool<{ results: Record<string, unknown>[] }>(
    connection,
    'api_batch_request',
    { api_name: 'crm', requests: requests.map((request) => ({ method: 'GET', ...request })) },
    context,
  )
const json = { 'content-type': 'application/json' }

describe('api_batch_request', () => {
  it('D0-039, D0-040, D1-033: outcomes in input order, exactly as D0 has them, whichever ends first', async () => {
    const waiting = new Map<string, () => void>()
    upstream.answer = (request, response) => {
      const number = request.url!.at(-1)!
      waiting.set(number, () => response.writeHead(200, json).end(`{"n":${number}}`))
      if (waiting.size === 3) for (const key of ['3', '1', '2']) waiting.get(key)!()
    }
    const { results, isError } = await batch([
      { id: 'a', url: 'x/1' },
      { url: 'x/2' },
      { id: 'c', url: 'x/3' },
    ])
    expect(results).toEqual([
      { status_code: 200, data: { n: 1 }, success: true, request_id: 'a' },
      { status_code: 200, data: { n: 2 }, success: true, request_id: 'unknown' },
      { status_code: 200, data: { n: 3 }, success: true, request_id: 'c' },
    ])
    expect(isError).toBe(false)
    expect(upstream.seen.every(({ request }) => request.headers.authorization === `Bearer ${bearer}`)).toBe(
      true,
    )
  })

  it.each([
    ['JSON', 'application/json', '[1]', [1]],
    ['text, though it looks like JSON', 'text/plain', '[1]', '[1]'],
    ['broken JSON', 'application/json', '[1', '[1'],
    ['nothing', 'text/plain', '', ''],
    ['bytes', 'image/png', Buffer.from([0x89, 0xff]), { raw_base64: 'if8=', media_type: 'image/png' }],
    ['a credential that comes back', 'text/plain', `> ${bearer}`, '> [redacted]'],
  ])('D0-040: %s', async (_what, type, body, data) => {
    upstream.answer = (_request, response) => response.writeHead(200, { 'content-type': type }).end(body)
    expect((await batch([{ url: 'x' }])).results[0]).toMatchObject({ data })
  })

  it('D0-040, B-15: one failure never fails the batch: status, timeout, broken socket, size, rule', async () => {
    connection = await open({ methods: ['GET', 'POST'] })
    upstream.answer = (request, response) => {
      const how = request.url!.split('/')[2]
      if (how === 'broken') request.socket.destroy()
      else if (how === 'large') response.end('a'.repeat(1024 * 1024))
      else if (how !== 'slow') response.writeHead(how === 'down' ? 503 : 201, json).end('{}')
    }
    const { results, isError } = await batch([
      { id: '0', url: 'good', method: 'POST', body: [1], headers: { 'x-a': 'b' } },
      { id: '1', url: 'down' },
      { id: '2', url: 'slow', timeout: 0.05 },
      { id: '3', url: 'broken' },
      { id: '4', url: 'large' },
      { id: '5', url: `${canary.origin}/v1/x` },
      { id: '6', url: 'x', headers: { authorization: 'Bearer evil' } },
      { id: '7', url: 'x', method: 'DELETE' },
    ])
    expect(results.slice(0, 2)).toEqual([
      { status_code: 201, data: {}, success: true, request_id: '0' },
      { status_code: 503, data: {}, success: false, request_id: '1' },
    ])
    expect(
      results.slice(2).map((one) => [...Object.keys(one).sort(), String(one['error']).split(':')[0]]),
    ).toEqual(
      [
        'UPSTREAM_TIMEOUT',
        'UPSTREAM_UNREACHABLE',
        'RESPONSE_TOO_LARGE',
        'URL_NOT_ALLOWED',
        'HEADER_NOT_ALLOWED',
        'INVALID_INPUT',
      ].map((code) => ['error', 'request_id', 'success', code]),
    )
    expect(results.slice(2).map((one) => [one['request_id'], one['success']])).toEqual(
      [2, 3, 4, 5, 6, 7].map((id) => [String(id), false]),
    )
    expect(isError).toBe(false)
    expect(canary.connections).toBe(0)
  })

  it.each([
    [undefined, 10],
    [3, 3],
  ])('B-15: of 40 requests, with batchConcurrency %s, %i are under way at once', async (batchConcurrency, most) => {
    connection = await open(batchConcurrency === undefined ? {} : { batchConcurrency })
    let underWay = 0
    let peak = 0
    const waiting: (() => void)[] = []
    upstream.answer = (_request, response) => {
      underWay += 1
      peak = Math.max(peak, underWay)
      waiting.push(() => {
        underWay -= 1
        response.end()
      })
    }
    const done = batch(Array.from({ length: 40 }, () => ({ url: 'x' })))
    await expect.poll(() => waiting.length).toBe(most)
    while (upstream.seen.length < 40 || waiting.length > 0) {
      waiting.shift()?.()
      await new Promise(setImmediate)
    }
    expect((await done).results.every(({ success }) => success === true)).toBe(true)
    expect(peak).toBe(most)
  })

  it('B-15: the answers together have a bound, of which each request has its share', async () => {
    const share = Math.floor((4 * 1024 * 1024) / 100)
    upstream.answer = (request, response) =>
      response.end('a'.repeat(share + Number(request.url!.split('/')[2])))
    const requests = Array.from({ length: 100 }, (_, index) => ({ url: index === 50 ? '1' : '0' }))
    const { results } = await batch(requests)
    expect(results.filter(({ success }) => success === false).length).toBe(1)
    expect(results[50]!['error']).toMatch(/^RESPONSE_TOO_LARGE: /)
  })

  it('B-15: the time of the call ends what is under way, and what was not sent says so', async () => {
    connection = await open({ batchConcurrency: 2 })
    upstream.answer = (request, response) => {
      if (request.url === '/v1/fast') response.end('fast')
    }
    const deadlineMs = systemClock.monotonicMs() + 500 + 1_500
    const { results } = await batch([{ url: 'fast' }, { url: 'slow' }, { url: 'slow' }, { url: 'slow' }], {
      deadlineMs,
    })
    expect(results[0]).toMatchObject({ success: true, data: 'fast' })
    expect(results.slice(1).map(({ error }) => String(error).split(':')[0])).toEqual([
      'UPSTREAM_TIMEOUT',
      'UPSTREAM_TIMEOUT',
      'DEADLINE_EXCEEDED',
    ])
    expect(upstream.seen.length).toBe(3)
  })

  it('an abort ends all of it, and nothing more is sent', async () => {
    const stop = new AbortController()
    const reason = new WeirError('CANCELLED', 'The caller left.')
    upstream.answer = () => stop.abort(reason)
    expect(
      await failure(
        batch(
          Array.from({ length: 30 }, () => ({ url: 'x' })),
          { signal: stop.signal },
        ),
      ),
    ).toBe(reason)
    expect(upstream.seen.length).toBeLessThanOrEqual(10)
  })

  it('C-25: an unknown API is an error that names the known ones', async () => {
    const given = { api_name: 'erp', requests: [{ method: 'GET', url: 'x' }] }
    expect((await failure(callTool(connection, 'api_batch_request', given))).code).toBe('UNKNOWN_API')
  })

  it('takes 1 to 100 requests', () => {
    const tool = connection
      .targets()
      .filter(isTool)
      .find(({ name }) => name === 'api_batch_request')!
    const schema = tool.input as unknown as { safeParse(value: unknown): { success: boolean } }
    const take = (length: number) =>
      schema.safeParse({
        api_name: 'crm',
        requests: Array.from({ length }, () => ({ method: 'GET', url: 'x' })),
      }).success
    expect([0, 1, 100, 101].map(take)).toEqual([false, true, true, false])
  })

  it.each([
    [['GET'], 'read'],
    [['GET', 'POST'], 'write'],
    [['GET', 'DELETE'], 'destructive'],
  ] as const)('its effect with %j is %s', async (methods, effect) => {
    connection = await open({ methods })
    expect(connection.targets()[1]).toMatchObject({ name: 'api_batch_request', effect })
  })
})
