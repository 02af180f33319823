import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Connection } from '../../../core/connector.ts'
import { failure } from '../http.fixture.ts'
import { createWorld, described, faultsOf, find, namesOf, run } from './fixtures/openapi.fixture.ts'

const bearer = 'S3cret-Bearer-Token'
const fixtures = join(import.meta.dirname, 'fixtures')

let world: Awaited<ReturnType<typeof createWorld>>
let connection: Connection
beforeEach(async () => {
  world = await createWorld()
  connection = await open()
})
afterEach(() => world.close())

const open = (api: Record<string, unknown> = {}, openapi: Record<string, unknown> = {}) =>
  world.open(
    {
      shop: {
        baseUrl: `${world.upstream.origin}/v1`,
        allowPrivate: true,
        auth: { bearer },
        openapi: { source: 'workshop.yaml', ...openapi },
        ...api,
      },
    },
    { baseDir: fixtures },
  )
const seen = () => world.upstream.seen.at(-1)!

describe('a document’s operations', () => {
  it('are tools in snake_case with the effect of their method; files are no argument', () => {
    expect(described(connection).map(({ name, effect, category }) => [name, effect, category])).toEqual(
      [
        ['add_photo', 'write', 'photos'],
        ['describe_photos', 'idempotent-write', 'photos'],
        ['add_note', 'write', 'notes'],
        ['find_tools', 'read', 'tools'],
        ['add_tool', 'write', 'tools'],
        ['get_tool', 'read', 'tools'],
        ['has_tool', 'read', 'tools'],
        ['replace_tool', 'idempotent-write', 'tools'],
        ['change_tool', 'write', 'tools'],
        ['delete_tool', 'destructive', 'tools'],
      ].filter(([name]) => name !== 'add_photo'),
    )
    expect(world.logged('openapi.left-out')).toMatchObject([
      { level: 'warn', api_name: 'shop', operation: 'POST /photos', why: 'its body holds a file' },
    ])
    expect(world.logged('openapi.read')).toMatchObject([{ operations: 10, tools: 9, left_out: 1 }])
  })

  it('are told with summary, description and method; what is not sent is said', () => {
    expect(find(connection, 'get_tool').description).toBe('One tool.\n\nGET /tools/{toolId}')
    expect(find(connection, 'find_tools').description).toBe(
      'All tools that fit.\n\nThe cookie session is not sent. GET /tools',
    )
  })

  it('are only those whose method the API takes', async () => {
    connection = await open({ methods: ['GET'] })
    expect(namesOf(connection)).toEqual(['find_tools', 'get_tool', 'has_tool'])
    expect(world.logged('openapi.read').at(-1)).toMatchObject({ tools: 3, left_out: 7 })
  })
})

describe('a call', () => {
  it.each([
    ['get_tool', { toolId: 'saw' }, 'GET', '/v1/tools/saw'],
    ['has_tool', { toolId: 'saw' }, 'HEAD', '/v1/tools/saw'],
    ['delete_tool', { toolId: 'saw 2' }, 'DELETE', '/v1/tools/saw%202'],
  ])('%s is sent as its method, below the base URL, with the credential', async (name, input, method, url) => {
    const answer = await run(connection, name, input)
    expect(answer).toMatchObject({
      status_code: 200,
      success: true,
      data: method === 'HEAD' ? {} : { ok: true },
    })
    expect(seen()).toMatchObject({ method, url, body: '', headers: { authorization: `Bearer ${bearer}` } })
  })

  it.each([
    [{ kinds: ['saw', 'a&b=c'] }, 'kinds=saw&kinds=a%26b%3Dc'],
    [{ kinds: [] }, ''],
    [{ sizes: [1, 2] }, 'sizes=1,2'],
    [{ near: ['a b', 'c'] }, 'near=a%20b%20c'],
    [{ either: ['a', 'b|c'] }, 'either=a%7Cb%7Cc'],
    [
      { filter: { owner: { name: 'A & B' }, tags: ['x', 'y'] } },
      'filter[owner][name]=A%20%26%20B&filter[tags][]=x&filter[tags][]=y',
    ],
    [{ range: { from: 1, to: 2 } }, 'from=1&to=2'],
    [{ page: { size: 10, at: 2 } }, 'page=size,10,at,2'],
    [{ where: { a: [1, 'ü'] } }, 'where=%7B%22a%22%3A%5B1%2C%22%C3%BC%22%5D%7D'],
    [{ link: 'https://a.example/b?c=d&e#f' }, 'link=https://a.example/b?c%3Dd%26e%23f'],
    [{ exact: false }, 'exact=false'],
  ])('writes the query %j', async (input, query) => {
    await run(connection, 'find_tools', { 'X-Api-Version': '7', ...input })
    expect(seen().url).toBe(query === '' ? '/v1/tools' : `/v1/tools?${query}`)
    expect(seen().headers).toMatchObject({ 'x-api-version': '7', authorization: `Bearer ${bearer}` })
  })

  it('writes headers, lists and objects too', async () => {
    const input = { 'X-Api-Version': '7', 'X-Trace-Ids': ['a', 'b'], 'X-Options': { deep: true, n: 1 } }
    await run(connection, 'find_tools', input)
    expect(seen().headers).toMatchObject({ 'x-trace-ids': 'a,b', 'x-options': 'deep=true,n=1' })
  })

  it('B-12, S12: credentials, routing headers, cookies and keys are no arguments', async () => {
    const tool = find(connection, 'find_tools')
    for (const name of ['Authorization', 'X-Forwarded-For', 'key', 'session'])
      expect(faultsOf(tool, { 'X-Api-Version': '7', [name]: 'x' }), name).toHaveLength(1)
    const error = await failure(run(connection, 'find_tools', { 'X-Api-Version': 'a\r\nx: y' }))
    expect([error.code, world.upstream.seen]).toEqual(['HEADER_NOT_ALLOWED', []])
  })

  it('a header that the configuration sends is no argument', async () => {
    connection = await open({ headers: { 'X-Api-Version': '9' } })
    await run(connection, 'find_tools', {})
    expect(seen().headers['x-api-version']).toBe('9')
    expect(faultsOf(find(connection, 'find_tools'), { 'X-Api-Version': '7' })).toHaveLength(1)
  })

  it('parameters of one name have arguments of their own', async () => {
    const input = {
      id: 'a',
      day: [1, 2],
      hour: 3,
      query_id: 'b',
      header_id: 'c',
      query_body: 'd',
      body: 'text ü',
    }
    await run(connection, 'add_note', input)
    expect(seen()).toMatchObject({
      method: 'POST',
      url: '/v1/shelves/a/notes/1,2,3?body=d&id=b',
      body: 'text ü',
    })
    expect(seen().headers).toMatchObject({ id: 'c', 'content-type': 'text/plain' })
  })

  it.each([
    [
      'replace_tool',
      { toolId: 'a', body: { name: 'b', weight: null } },
      'application/json',
      '{"name":"b","weight":null}',
    ],
    ['change_tool', { toolId: 'a', body: { x: [1] } }, 'application/merge-patch+json', '{"x":[1]}'],
    [
      'add_tool',
      { body: { name: 'a&b', labels: ['x', 'y'], owner: { name: 'C D' }, size: { mm: 3 }, expand: ['z'] } },
      'application/x-www-form-urlencoded',
      'name=a%26b&labels=x&labels=y&owner[name]=C%20D&size=%7B%22mm%22%3A3%7D&expand[]=z',
    ],
  ])('%s writes its body', async (name, input, type, body) => {
    await run(connection, name, input)
    expect([seen().headers['content-type'], seen().body]).toEqual([type, body])
  })

  it('an optional body may be left out', async () => {
    await run(connection, 'change_tool', { toolId: 'a' })
    expect([seen().body, seen().headers['content-type']]).toEqual(['', undefined])
  })

  it('writes a multipart body that a real reader takes apart', async () => {
    const body = { title: 'a"\r\nX: y', labels: ['x', 'y'], place: { x: 1 } }
    await run(connection, 'describe_photos', { body })
    const { headers, body: text } = seen()
    const form = await new Response(text, {
      headers: { 'content-type': headers['content-type']! },
    }).formData()
    expect([form.get('title'), form.getAll('labels')]).toEqual(['a"\r\nX: y', ['x', 'y']])
    expect(text).toContain('name="place"\r\nContent-Type: application/json\r\n\r\n{"x":1}\r\n')
  })
})

describe('B-11: a path argument', () => {
  it.each([
    ['a/b', '/v1/tools/a%2Fb'],
    ['a%2fb', '/v1/tools/a%252fb'],
    ['a?b=c', '/v1/tools/a%3Fb%3Dc'],
    ['a#b', '/v1/tools/a%23b'],
    ['//evil.example', '/v1/tools/%2F%2Fevil.example'],
    ['http://evil.example/', '/v1/tools/http%3A%2F%2Fevil.example%2F'],
    ['...', '/v1/tools/...'],
    ['größe', '/v1/tools/gr%C3%B6%C3%9Fe'],
    ['\ud800', '/v1/tools/%EF%BF%BD'],
  ])('%j stays in its segment, as the server has it', async (toolId, url) => {
    await run(connection, 'delete_tool', { toolId })
    expect(world.upstream.seen.map((one) => one.url)).toEqual([url])
  })

  it.each([
    '.',
    '..',
    '../x',
    'a/../../b',
    '..\\x',
    '%2e%2e',
    '%2e%2e/x',
    '..%2fx',
    '%252e%252e%252fx',
    '..;/x',
    '',
  ])('%j is refused, and nothing is sent', async (toolId) => {
    const error = await failure(run(connection, 'delete_tool', { toolId }))
    expect(error.code).toMatch(/^(INVALID_INPUT|URL_NOT_ALLOWED)$/)
    expect([error.data?.['sent'], world.upstream.seen]).toEqual([false, []])
  })

  it('of several in a segment may together be no step up', async () => {
    const error = await failure(run(connection, 'add_note', { id: '..', day: [1], hour: 3, body: '' }))
    expect([error.code, world.upstream.seen]).toEqual(['INVALID_INPUT', []])
  })

  it('a URL that is too long is refused', async () => {
    const error = await failure(
      run(connection, 'find_tools', { 'X-Api-Version': '7', link: 'x'.repeat(17_000) }),
    )
    expect([error.code, world.upstream.seen]).toEqual(['INVALID_INPUT', []])
  })
})

describe('an answer', () => {
  it('D0-036: looks like that of http_request, whatever its status', async () => {
    world.upstream.answer = (_request, response) => response.writeHead(404).end('no')
    expect(await run(connection, 'get_tool', { toolId: 'a' })).toMatchObject({
      status_code: 404,
      success: false,
      data: { raw_response: 'no' },
    })
  })

  it('is checked only where that is asked for, and then only a success, without fields that are never shown', async () => {
    expect(find(connection, 'get_tool').output).toBeUndefined()
    connection = await open({}, { validateAnswers: true })
    const { output } = find(connection, 'get_tool')
    const answer = (data: unknown, success = true) => ({ status_code: 200, headers: {}, data, success })
    const faults = (value: unknown) =>
      faultsOf({ ...find(connection, 'get_tool'), input: output as never }, value)
    expect(faults(answer({ id: 'a', name: 'b', parts: [{ id: 'c', name: 'd' }] }))).toEqual([])
    expect(faults(answer({ id: 'a' }))).not.toEqual([])
    expect(faults(answer({ id: 'a', name: 'b', parts: [{ id: 'c' }] }))).not.toEqual([])
    expect(faults(answer('no', false))).toEqual([])
    expect(JSON.stringify(output)).not.toContain('secret')
    expect(find(connection, 'delete_tool').output).toBeUndefined()
  })
})
