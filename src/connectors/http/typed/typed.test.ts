import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Connection } from '../../../core/connector.ts'
import { WeirError } from '../../../core/error.ts'
import { toJsonSchema } from '../../../core/schema.ts'
import { isTool } from '../../../core/tool.ts'
import { callTool, createWorld, failure, type RealServer } from '../http.fixture.ts'

const user = {
  path: '/users',
  model: {
    id: 'integer',
    mail: 'email',
    role: { type: 'string', values: ['admin', 'guest'], required: false },
    left_at: { type: 'date-time', nullable: true, write: 'optional' },
  },
  operations: { get: {}, list: {}, create: {}, update: {}, delete: {} },
}
const ada = { id: 1, mail: 'ada@example.com', role: 'admin', left_at: null }

let world: Awaited<ReturnType<typeof createWorld>>
let api: RealServer
let connection: Connection
beforeEach(async () => {
  world = await createWorld()
  api = world.upstream
  connection = await open({ resources: { user } })
  answer(ada)
})
afterEach(() => world.close())

const open = (more: Record<string, unknown>) =>
  world.open({ crm: { baseUrl: `${api.origin}/v1`, allowPrivate: true, ...more } })
const call = (tool: string, input: Record<string, unknown> = {}, signal?: AbortSignal) =>
  callTool<{ success: boolean; data: unknown }>(
    connection,
    tool,
    input,
    signal === undefined ? {} : { signal },
  )
const answer = (body: unknown, status = 200, headers: Record<string, string> = {}) => {
  api.answer = (_request, response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}
const sent = () => api.seen.map(({ request, body }) => `${request.method} ${request.url} ${body}`.trim())
const toolOf = (name: string) =>
  connection
    .targets()
    .filter(isTool)
    .find((tool) => tool.name === name)!

describe('the operations of a resource', () => {
  it('D2-017, D2-019: are get, list, create, update and delete, under names of the resource’s', async () => {
    answer({ items: [ada] })
    await call('list_users', { page: 2, page_size: 10 })
    answer(ada)
    await call('get_user', { id: 1 })
    await call('create_user', { mail: 'ada@example.com' })
    await call('update_user', { id: 1, role: 'guest' })
    answer(null, 204)
    expect((await call('delete_user', { id: 1 })).data).toEqual({ id: 1 })
    expect(sent()).toEqual([
      'GET /v1/users?page=2&page_size=10',
      'GET /v1/users/1',
      'POST /v1/users {"mail":"ada@example.com"}',
      'PATCH /v1/users/1 {"role":"guest"}',
      'DELETE /v1/users/1',
    ])
    const effects = ['get', 'list', 'create', 'update', 'delete'].map(
      (verb) => toolOf(verb === 'list' ? 'list_users' : `${verb}_user`).effect,
    )
    expect(effects).toEqual(['read', 'read', 'write', 'write', 'destructive'])
  })

  it('may have names, methods and texts of their own', async () => {
    const operations = {
      get: { tool: 'find_person', description: 'Finds somebody.' },
      update: { method: 'PUT', tool: 'put_person' },
    }
    connection = await open({ resources: { user: { ...user, operations } } })
    expect(toolOf('find_person').description).toBe('Finds somebody.')
    expect(toolOf('put_person').effect).toBe('idempotent-write')
    await call('put_person', { id: 1, mail: 'b@example.com', left_at: null })
    expect(sent()).toEqual(['PUT /v1/users/1 {"mail":"b@example.com","left_at":null}'])
    await expect(call('put_person', { id: 1, role: 'guest' })).rejects.toThrow('mail')
  })

  it('keep the slash at the end of a path', async () => {
    connection = await open({ resources: { user: { ...user, path: '/users/' } } })
    await call('get_user', { id: 1 })
    await call('create_user', { mail: 'a@b.example' })
    expect(sent()).toEqual(['GET /v1/users/1/', 'POST /v1/users/ {"mail":"a@b.example"}'])
  })

  it.each([
    ['get_user', { id: 'one' }],
    ['get_user', {}],
    ['create_user', { mail: 'no mail' }],
    ['create_user', { mail: 'a@b.example', role: 'root' }],
    ['create_user', { mail: 'a@b.example', id: 2 }],
    ['list_users', { page: 0 }],
    ['list_users', { page_size: 101 }],
  ])('D2-016: %s takes no %j', async (tool, input) => {
    await expect(call(tool, input)).rejects.toThrow()
    expect(api.connections).toBe(0)
  })
})

describe('D2-016: an answer is held to the model', () => {
  it.each([
    [{ ...ada, mail: undefined }, '', 'required property'],
    [{ ...ada, id: '1' }, '/id', 'integer'],
    [{ ...ada, role: 'root' }, '/role', 'allowed values'],
    [{ ...ada, left_at: 'yesterday' }, '/left_at', 'date-time'],
    [[ada], '', 'object'],
    ['text', '', 'object'],
  ])('%j is refused, and the field named', async (body, path, what) => {
    answer(body)
    const error = await failure(call('get_user', { id: 1 }))
    expect(error.code).toBe('INVALID_OUTPUT')
    expect(error.message).toContain(`${path} `)
    expect(error.message).toContain(what)
    expect(error.data).toMatchObject({ api_name: 'crm', sent: true })
    expect(error.data?.['issues']).toEqual(expect.arrayContaining([expect.objectContaining({ path })]))
  })

  it('what it does not name is left out, and what may be absent or null may', async () => {
    answer({ id: 1, mail: 'a@b.example', left_at: null, password: 'x', __proto__: { y: 1 } })
    expect((await call('get_user', { id: 1 })).data).toEqual({ id: 1, mail: 'a@b.example', left_at: null })
  })

  it('one item of a list that breaks it is named by its place', async () => {
    answer({ items: [ada, { ...ada, id: null }] })
    expect((await failure(call('list_users'))).message).toContain('/items/1/id must be integer')
    answer({ rows: [] })
    expect((await failure(call('list_users'))).message).toContain('/items must be array')
  })

  it('an answer may wrap it', async () => {
    connection = await open({ resources: { user: { ...user, dataAt: '/data/user' } } })
    answer({ data: { user: ada } })
    expect((await call('get_user', { id: 1 })).data).toEqual(ada)
  })
})

describe('B-62: the next page of a list', () => {
  const listed = (list: Record<string, unknown>) =>
    open({ resources: { user: { ...user, operations: { list } } } })
  const next = async (input = {}) =>
    ((await call('list_users', input)).data as { next_page: number | null }).next_page

  it.each([
    ['a full page', [ada, ada], {}, 2],
    ['a page that is not full', [ada], {}, null],
    ['no items', [], {}, null],
    ['a link, though the page is not full', [ada], { link: '</v1/users?p=2>; rel="next"' }, 2],
    ['no next link, though the page is full', [ada, ada], { link: '</v1/users?p=1>; rel="prev"' }, null],
  ])('%s', async (_what, items, headers, page) => {
    connection = await listed({ pageSize: 2 })
    answer({ items }, 200, headers)
    expect(await next()).toBe(page)
  })

  it.each([
    [{ items: [ada], meta: { next: 7 } }, 7],
    [{ items: [ada], meta: { next: null } }, null],
    [{ items: [ada, ada] }, null],
  ])('is what stands in the body: %j', async (body, page) => {
    connection = await listed({ pageSize: 2, nextPageAt: '/meta/next' })
    answer(body)
    expect(await next()).toBe(page)
  })

  it('has to be a number', async () => {
    connection = await listed({ nextPageAt: '/next' })
    answer({ items: [], next: 'https://evil.example/' })
    expect((await failure(call('list_users'))).code).toBe('INVALID_OUTPUT')
  })

  it('takes lists and parameters of other names', async () => {
    connection = await listed({
      itemsAt: '',
      pageParameter: 'p',
      pageSizeParameter: 'per',
      pageSize: 3,
      pageSizeMax: 2,
    })
    answer([ada, ada])
    expect(await next({ page: 4 })).toBe(5)
    expect(sent()).toEqual(['GET /v1/users?p=4&per=2'])
  })
})

describe('S12: an id leads nowhere else', () => {
  const item = { path: '/items', model: { id: 'string' }, operations: { get: {}, delete: {} } }

  it.each(['..', '.', ''])('%j is refused', async (id) => {
    connection = await open({ resources: { item } })
    expect((await failure(call('delete_item', { id }))).code).toBe('INVALID_INPUT')
    expect(api.connections).toBe(0)
  })

  it.each([
    '../users/1',
    '..\\users',
    '%2e%2e',
    '%252e%252e%252f',
    '..;/x',
    'a/..',
    '\0',
    'a\r\nb',
  ])('%j is refused', async (id) => {
    connection = await open({ resources: { item } })
    expect((await failure(call('delete_item', { id }))).code).toBe('URL_NOT_ALLOWED')
    expect(api.connections).toBe(0)
  })

  it.each([
    ['a/b', 'a%2Fb'],
    ['a?b#c', 'a%3Fb%23c'],
    ['https://evil.example', 'https%3A%2F%2Fevil.example'],
    ['ü ', '%C3%BC%20'],
    ['\ud800', '%EF%BF%BD'],
  ])('%j is one segment of the path', async (id, segment) => {
    connection = await open({ resources: { item } })
    answer({ id })
    await call('get_item', { id })
    expect(api.seen[0]!.request.url).toBe(`/v1/items/${segment}`)
  })
})

describe('calls', () => {
  it('D2-010, D2-012: take arguments for path, query and body, and hold the answer to its form', async () => {
    connection = await open({
      calls: {
        move_stock: {
          ...{ method: 'POST', path: '/stock/{sku}/moves/{day}', idempotencyHeader: 'X-Once' },
          query: { dry: { type: 'boolean', required: false }, tag: { type: 'array', required: false } },
          body: { count: 'integer', why: { type: 'object', required: false } },
          ...{ result: { left: 'integer' }, dataAt: '/stock' },
        },
        search_stock: { method: 'POST', path: '/search', body: { q: 'string' }, effect: 'read' },
      },
    })
    answer({ stock: { left: 3, more: true } })
    const given = { sku: 'a/b', day: 'today', dry: true, tag: ['x', 'y'], count: 2, idempotency_key: 'k-1' }
    expect(await call('move_stock', given)).toEqual({ success: true, data: { left: 3 }, isError: false })
    expect(sent()).toEqual(['POST /v1/stock/a%2Fb/moves/today?dry=true&tag=x&tag=y {"count":2}'])
    expect(api.seen[0]!.request.headers['x-once']).toBe('k-1')
    expect([toolOf('move_stock').effect, toolOf('search_stock').effect]).toEqual(['write', 'read'])
    answer({ stock: { left: 'none' } })
    expect((await failure(call('move_stock', given))).message).toContain('/stock/left must be integer')
    expect((await failure(call('move_stock', { ...given, sku: '..' }))).code).toBe('INVALID_INPUT')
  })

  it('an empty answer is null', async () => {
    connection = await open({ calls: { ping: { path: '/ping', dataAt: '/pong' } } })
    answer({})
    expect((await call('ping')).data).toBeNull()
  })

  it('D2-056: a failure that is the caller’s own keeps its message; an abort keeps its reason', async () => {
    const read = { path: '/x/{id}', error: 'my_error', message: 'It is away' }
    connection = await open({ calls: { read } })
    const wrong = await failure(call('read', { id: '..' }))
    expect([wrong.code, wrong.data?.['error']]).toEqual(['INVALID_INPUT', undefined])
    const stop = new AbortController()
    const reason = new WeirError('DEADLINE_EXCEEDED', 'Too late.')
    api.answer = () => stop.abort(reason)
    expect(await failure(call('read', { id: 'a' }, stop.signal))).toBe(reason)
  })

  it.each([
    [429, 'UPSTREAM_FAILED', true],
    [500, 'UPSTREAM_FAILED', true],
    [400, 'UPSTREAM_REFUSED', false],
    [304, 'UPSTREAM_REFUSED', false],
  ])('D2-011: status %i is the error %s', async (status, code, retryable) => {
    answer({ why: 'x'.repeat(10_000) }, status)
    const error = await failure(call('get_user', { id: 1 }))
    expect([error.code, error.spec.retryable, error.data]).toEqual([
      code,
      retryable,
      // An answer that is long is left out of the error.
      status === 304
        ? { api_name: 'crm', status_code: 304, answer: {}, sent: true }
        : { api_name: 'crm', status_code: status, sent: true },
    ])
  })
})

describe('the configuration of typed tools', () => {
  const parse = (more: Record<string, unknown>) =>
    (
      world.connector.config as unknown as {
        safeParse(value: unknown): { error?: { issues: { path: PropertyKey[] }[] } }
      }
    ).safeParse({ apis: { crm: { baseUrl: 'https://x.example', ...more } } }).error?.issues

  it.each([
    ['resources.user.idField', { resources: { user: { ...user, idField: 'key' } } }],
    ['resources.user.operations.update', { resources: { user }, methods: ['GET', 'POST', 'DELETE'] }],
    ['resources.user.path', { resources: { user: { ...user, path: 'users' } } }],
    ['resources.user.model.id', { resources: { user: { ...user, model: { id: 'text' } } } }],
    ['calls.a.method', { calls: { a: { path: '/a', method: 'PUT' } }, methods: ['GET'] }],
    ['calls.a', { calls: { a: { path: '/a/{x}', query: { x: 'string' } } } }],
    ['calls.a.body', { calls: { a: { path: '/a', body: { x: 'string' } } } }],
    ['calls.A', { calls: { A: { path: '/a' } } }],
    ['calls.a.path', { calls: { a: { path: '/a?b=c' } } }],
    [
      'calls.a.idempotencyHeader',
      { calls: { a: { path: '/a', method: 'POST', idempotencyHeader: 'Host' } } },
    ],
  ])('names the field: %s', (field, more) => {
    const named = parse(more)?.map(({ path }) => path.join('.')) ?? []
    expect(named.some((path) => path.startsWith(`apis.crm.${field}`))).toBe(true)
  })

  it('refuses two tools of one name when it opens', async () => {
    const error = await failure(open({ calls: { http_request: { path: '/a' } } }))
    expect([error.code, error.data]).toEqual(['CONFIG_INVALID', { tool: 'http_request' }])
  })

  it('tells clients what the answer is', () => {
    expect(toJsonSchema(toolOf('get_user').output!)).toMatchObject({
      properties: {
        success: { type: 'boolean', const: true },
        data: { required: ['id', 'mail', 'left_at'] },
      },
    })
  })
})
