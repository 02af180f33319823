import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { Connection } from '../../../core/connector.ts'
import { renderError } from '../../../core/error.ts'
import { callTool, createWorld, failure, type RealServer } from '../http.fixture.ts'

const folder = join(import.meta.dirname, '../../../../examples/typed-api')
const key = 'k3y-of-external'

interface Stored {
  id: string
  name: string
  status: string
  created_at: string
}

let world: Awaited<ReturnType<typeof createWorld>>
let api: RealServer
let connection: Connection
let stored: Stored[]
let isDown: boolean

/** The external system of D2: it keeps resources, and says more of them than anybody asked. */
function serve(method: string, url: URL, body: string): readonly [number, unknown] {
  if (isDown) return [503, { detail: 'maintenance' }]
  const [, kind, id] = url.pathname.split('/')
  if (kind === 'data') return [200, [{ value: 1 }]]
  if (method === 'POST') {
    const given = JSON.parse(body) as Partial<Stored>
    const created = {
      name: '',
      status: 'new',
      ...given,
      id: String(stored.length + 1),
      created_at: '2026-11-29T10:00:00Z',
    }
    stored.push(created)
    return [201, { ...created, secret_note: 'internal' }]
  }
  if (id !== undefined) {
    const found = stored.find((one) => one.id === decodeURIComponent(id))
    return found === undefined ? [404, { detail: 'no such resource' }] : [200, { ...found, secret_note: 'x' }]
  }
  const page = Number(url.searchParams.get('page'))
  const size = Number(url.searchParams.get('page_size'))
  return [200, { items: stored.slice((page - 1) * size, page * size) }]
}

beforeEach(async () => {
  world = await createWorld()
  api = world.upstream
  isDown = false
  stored = Array.from({ length: 120 }, (_, index) => ({
    ...{ id: String(index + 1), name: `n${index + 1}`, status: 'active', created_at: '2026-01-01T00:00:00Z' },
  }))
  api.answer = (request, response) => {
    const [status, body] = serve(request.method!, new URL(request.url!, api.origin), api.seen.at(-1)!.body)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
  const config = parse(readFileSync(join(folder, 'weir.yaml'), 'utf8')).connections.external
  const external = { ...config.apis.external, baseUrl: api.origin, auth: { bearer: key }, allowPrivate: true }
  connection = await world.open({ external })
})
afterEach(() => world.close())

interface Envelope<T> {
  readonly success: true
  readonly data: T
}
const call = <T = Stored>(tool: string, input: Record<string, unknown> = {}) =>
  callTool<Envelope<T>>(connection, tool, input)
interface Page {
  readonly items: Stored[]
  readonly next_page: number | null
}

describe('examples/typed-api', () => {
  it('D2-016 to D2-019, D2-056, D2-062: has D2’s tools under their names, each with its true effect', () => {
    const own = connection.targets().filter(({ name }) => /resource|external/.test(name))
    expect(own.map(({ name, effect }) => `${name} ${effect}`)).toEqual([
      'get_resource read',
      'list_resources read',
      'create_resource write',
      'get_external_data read',
      'create_external_resource write',
    ])
  })

  it('D2-015, D2-016, D2-017: get_resource reads one, with the model’s fields and the credential', async () => {
    expect(await call('get_resource', { id: '7' })).toEqual({
      success: true,
      data: { id: '7', name: 'n7', status: 'active', created_at: '2026-01-01T00:00:00Z' },
      isError: false,
    })
    const { request } = api.seen[0]!
    expect([request.method, request.url]).toEqual(['GET', '/resources/7'])
    expect(request.headers).toMatchObject({ authorization: `Bearer ${key}`, accept: 'application/json' })
  })

  it('D2-018, B-62: list_resources goes on until there is no more', async () => {
    const seen: Stored[] = []
    for (let page: number | null = 1; page !== null; ) {
      const { data }: Envelope<Page> = await call<Page>('list_resources', page === 1 ? {} : { page })
      seen.push(...data.items)
      page = data.next_page
    }
    expect(seen).toEqual(stored)
    expect(api.seen.map(({ request }) => request.url)).toEqual(
      [1, 2, 3].map((page) => `/resources?page=${page}&page_size=50`),
    )
  })

  it('D2-019: create_resource posts the model’s own fields, and each call has an idempotency key', async () => {
    const created = await call('create_resource', { name: 'new one' })
    expect(created.data).toEqual({
      id: '121',
      name: 'new one',
      status: 'new',
      created_at: '2026-11-29T10:00:00Z',
    })
    await call('create_resource', { name: 'b', status: 'draft', idempotency_key: 'mine-1' })
    await call('create_resource', { name: 'c' })
    expect(api.seen.map(({ body }) => JSON.parse(body))).toEqual([
      { name: 'new one' },
      { name: 'b', status: 'draft' },
      { name: 'c' },
    ])
    const keys = api.seen.map(({ request }) => request.headers['idempotency-key'])
    expect([keys[1], new Set(keys).size]).toEqual(['mine-1', 3])
  })

  it.each([
    {},
    { name: 1 },
    { name: 'a', id: '1' },
    { name: 'a', created_at: '2026-01-01T00:00:00Z' },
  ])('D2-019: the arguments %j do not fit', async (input) => {
    await expect(call('create_resource', input)).rejects.toThrow()
    expect(api.connections).toBe(0)
  })

  it('D2-056: get_external_data answers with the data, or is an error with its name', async () => {
    expect(await call('get_external_data')).toEqual({ success: true, data: [{ value: 1 }], isError: false })
    isDown = true
    const error = await failure(call('get_external_data'))
    expect(renderError(error)).toMatchObject({
      code: 'UPSTREAM_FAILED',
      message: 'External API is temporarily unavailable',
      retryable: true,
      data: {
        success: false,
        error: 'external_api_unavailable',
        status_code: 503,
        answer: { detail: 'maintenance' },
      },
    })
    api.server.closeAllConnections()
    api.server.close()
    const gone = await failure(call('get_external_data'))
    expect([gone.code, gone.data?.['error'], gone.message]).toEqual([
      'UPSTREAM_UNREACHABLE',
      'external_api_unavailable',
      'External API is temporarily unavailable',
    ])
  })

  it('D2-062: create_external_resource posts the name, or is an error with its name', async () => {
    expect(await call('create_external_resource', { name: 'x' })).toMatchObject({
      success: true,
      data: { name: 'x' },
    })
    isDown = true
    const error = await failure(call('create_external_resource', { name: 'x' }))
    expect([error.code, error.data?.['success'], error.data?.['error']]).toEqual([
      'UPSTREAM_FAILED',
      false,
      'failed_to_create_resource',
    ])
  })

  it('D2-011: another status than 2xx is an error', async () => {
    const error = await failure(call('get_resource', { id: '999' }))
    expect([error.code, error.data?.['status_code'], error.data?.['answer']]).toEqual([
      'UPSTREAM_REFUSED',
      404,
      { detail: 'no such resource' },
    ])
  })
})
