import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { failure } from '../http.fixture.ts'
import { createWorld, faultsOf, find, namesOf, run, startUpstream } from './fixtures/openapi.fixture.ts'

type Json = Record<string, unknown>

let world: Awaited<ReturnType<typeof createWorld>>
beforeEach(async () => {
  world = await createWorld()
})
afterEach(() => world.close())

const { signal } = new AbortController()
const documentOf = (...ids: string[]) => ({
  openapi: '3.1.0',
  servers: [
    { url: '/relative' },
    { url: 'https://{region}.shop.example/v1', variables: { region: { default: 'eu' } } },
  ],
  paths: Object.fromEntries(ids.map((operationId) => [`/${operationId}`, { get: { operationId } }])),
})
const write = (path: string, value: unknown) => {
  mkdirSync(join(world.folder, path, '..'), { recursive: true })
  writeFileSync(join(world.folder, path), typeof value === 'string' ? value : JSON.stringify(value))
}
const api = (openapi: Json, more: Json = {}) => ({
  baseUrl: world.upstream.origin,
  allowPrivate: true,
  openapi,
  ...more,
})
const open = (openapi: Json, more: Json = {}) => world.open({ shop: api(openapi, more) })
/** Serves a document at `/openapi.json` of the upstream. */
const serve = (value: unknown, status = 200, headers: Record<string, string> = {}) => {
  world.upstream.answer = (_request, response) =>
    response.writeHead(status, headers).end(typeof value === 'string' ? value : JSON.stringify(value))
}
const served = (more: Json = {}) => ({
  source: `${world.upstream.origin}/openapi.json`,
  allowPrivate: true,
  ...more,
})

describe('a document in a file', () => {
  it('is JSON or YAML, whatever its name', async () => {
    write('a.txt', documentOf('one'))
    write('b', 'openapi: 3.0.0\npaths: { /two: &p { get: { operationId: two } }, /three: *p }\n')
    expect(namesOf(await open({ source: 'a.txt' }))).toEqual(['one'])
    expect(namesOf(await open({ source: 'b' })).map((name) => name.slice(0, 3))).toEqual(['two', 'two'])
  })

  it('is read again where it changed, and not otherwise', async () => {
    write('api.json', documentOf('one', 'two'))
    const connection = await open({ source: 'api.json' })
    const changes = vi.fn()
    connection.onChange!(changes)
    const before = connection.targets()
    await connection.refresh!(signal)
    expect([world.logged('openapi.read').length, connection.targets() === before]).toEqual([1, true])
    utimesSync(join(world.folder, 'api.json'), 1, 1)
    await connection.refresh!(signal)
    expect([world.logged('openapi.read').length, connection.targets() === before]).toEqual([2, true])
    const two = find(connection, 'two')
    write('api.json', documentOf('two', 'three'))
    await connection.refresh!(signal)
    expect([namesOf(connection), changes.mock.calls.length]).toEqual([['three', 'two'], 1])
    expect(find(connection, 'two')).toBe(two)
    expect(connection.targets()).toBe(connection.targets())
  })

  it('that cannot be read again leaves the tools as they were, and the next one that can is taken', async () => {
    write('api.json', documentOf('one'))
    const connection = await open({ source: 'api.json' })
    write('api.json', '{')
    expect((await failure(connection.refresh!(signal))).code).toBe('OPENAPI_INVALID')
    await connection.check(signal)
    expect([namesOf(connection), world.logged('openapi.failed').length]).toEqual([['one'], 1])
    write('api.json', documentOf('two'))
    await connection.refresh!(signal)
    expect(namesOf(connection)).toEqual(['two'])
  })

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /there is no such file/],
    ['no text of any kind', 'a: [b: {', /neither JSON nor YAML/],
    ['a list', [], /it is no object/],
    ['Swagger 2.0', { swagger: '2.0' }, /only OpenAPI 3.0 and 3.1 are read/],
    ['a key that is a trap', '{"openapi":"3.0.0","__proto__":{}}', /__proto__/],
    ['too deep a nest', `{"a":${'['.repeat(10_000)}`, /nests deeper/],
    [
      'anchors that come to gigabytes',
      `a: &a ${'x'.repeat(100_000)}\nb: [${'*a,'.repeat(9_000)}]\n`,
      /its anchors come to more than/,
    ],
    [
      'too many operations',
      documentOf(...Array.from({ length: 201 }, (_, at) => `o${at}`)),
      /it selects 201 operations, and toolsMax is 200/,
    ],
  ])('S17, S18: of %s is refused, and names the API', async (_what, value, message) => {
    if (value !== undefined) write('api.json', value)
    const error = await failure(open({ source: 'api.json' }))
    expect([error.code, error.data?.['api_name'], error.message]).toEqual([
      'OPENAPI_INVALID',
      'shop',
      expect.stringMatching(message),
    ])
    expect(`${error.message} ${error.hint}`).not.toContain(world.folder)
  })

  it('S17: of more than 32 MiB is refused', async () => {
    write('api.json', ' '.repeat(32 * 1024 * 1024 + 1))
    expect((await failure(open({ source: 'api.json' }))).message).toContain('more than 33554432 bytes')
  })
})

describe('references to other files', () => {
  const refer = ($ref: string, extra: Json = {}) => ({
    openapi: '3.0.0',
    paths: {
      '/a': {
        post: {
          operationId: 'a',
          requestBody: { content: { 'application/json': { schema: { $ref } } } },
          ...extra,
        },
      },
    },
  })
  const body = (connection: Parameters<typeof find>[0], value: unknown) =>
    faultsOf(find(connection, 'a'), { body: value })

  it('are followed within the config file’s folder, from file to file, and watched', async () => {
    write('specs/api.json', refer('../schemas/pet%20s.yaml#/Pet'))
    write(
      'schemas/pet s.yaml',
      'Pet: { properties: { name: { $ref: "#/Name" }, back: { $ref: "./more/owner.json" } } }\nName: { type: string }\n',
    )
    write('schemas/more/owner.json', { properties: { pet: { $ref: '../pet s.yaml#/Pet' } } })
    const connection = await open({ source: './specs/api.json' })
    expect([
      body(connection, { name: 'a', back: { pet: { name: 'b' } } }),
      body(connection, { back: { pet: { name: 1 } } }).length,
    ]).toEqual([[], 1])
    write('schemas/pet s.yaml', 'Pet: { type: boolean }')
    await connection.refresh!(signal)
    expect(body(connection, true)).toEqual([])
  })

  it.each([
    ['a step up', '../secret.json'],
    ['an encoded step up', '%2e%2e/secret.json'],
    ['an encoded step up with a backslash', '..%5csecret.json'],
    ['a folder that begins the same', '../conf-more/secret.json'],
    ['a symbolic link', 'link.json'],
    ['a symbolic link to a folder', 'linked/secret.json'],
    ['a whole path', 'ABSOLUTE'],
    ['a file URL', 'file://ABSOLUTE'],
    ['another host', 'CANARY/secret.json'],
    ['another host without a scheme', '//CANARYHOST/secret.json'],
    ['a zero byte', 'a%00.json'],
  ])('S19: by %s read nothing', async (_how, given) => {
    const folder = join(world.folder, 'conf')
    const secret = join(world.folder, 'secret.json')
    write('secret.json', { type: 'string', enum: ['S3cret'] })
    write('conf-more/secret.json', { type: 'string', enum: ['S3cret'] })
    mkdirSync(folder)
    symlinkSync(secret, join(folder, 'link.json'))
    symlinkSync(join(world.folder, 'conf-more'), join(folder, 'linked'))
    const host = new URL(world.canary.origin).host
    const ref = given
      .replace('ABSOLUTE', secret)
      .replace('CANARYHOST', host)
      .replace('CANARY', world.canary.origin)
    write('conf/api.json', refer(ref))
    const connection = await world.open({ shop: api({ source: 'api.json' }) }, { baseDir: folder })
    expect(
      JSON.stringify(find(connection, 'a').input['~standard'].jsonSchema.input({ target: 'draft-2020-12' })),
    ).not.toContain('S3cret')
    expect(world.logged('openapi.refused')).toMatchObject([{ level: 'warn', count: 1 }])
    expect(world.canary.seen).toEqual([])
  })

  it('are at most 200 files', async () => {
    write('api.json', {
      ...documentOf('a'),
      x: Array.from({ length: 200 }, (_, at) => ({ $ref: `f${at}.json` })),
    })
    for (let at = 0; at < 200; at += 1) write(`f${at}.json`, {})
    expect((await failure(open({ source: 'api.json' }))).message).toContain(
      'it refers to more than 200 files',
    )
  })
})

describe('a document behind a URL', () => {
  it('is fetched without the API’s credential, and gives tools at once', async () => {
    serve(documentOf('one'), 200, { etag: '"a"' })
    const connection = await open(served({ headers: { 'X-Key': 'k' } }), { auth: { bearer: 'S3cret-Token' } })
    expect(namesOf(connection)).toEqual(['one'])
    const [{ headers }] = world.upstream.seen as [(typeof world.upstream.seen)[0]]
    expect([headers.authorization, headers['x-key'], headers['if-none-match']]).toEqual([
      undefined,
      'k',
      undefined,
    ])
    serve('', 304)
    await connection.refresh!(signal)
    expect([world.upstream.seen.at(-1)?.headers['if-none-match'], namesOf(connection)]).toEqual([
      '"a"',
      ['one'],
    ])
  })

  it('that is down stops nothing else: check names the cause, and finds it when it is back', async () => {
    const gone = await startUpstream()
    gone.close()
    write('api.json', documentOf('mine'))
    const source = `${gone.origin}/openapi.json`
    const connection = await world.open({
      shop: api({ source: 'api.json' }),
      other: api({ source, allowPrivate: true }),
    })
    const changes = vi.fn()
    connection.onChange!(changes)
    expect(namesOf(connection)).toEqual(['mine'])
    const error = await failure(connection.check(signal))
    expect([error.code, error.data?.['api_name']]).toEqual(['UPSTREAM_UNREACHABLE', 'other'])
    expect(error.message).toMatch(/^The OpenAPI document of the API other cannot be used: /)
    expect(await run(connection, 'mine', {})).toMatchObject({ status_code: 200 })
    const back = await startUpstream(Number(new URL(gone.origin).port))
    back.answer = (_request, response) => response.end(JSON.stringify(documentOf('theirs')))
    await connection.check(signal)
    expect([namesOf(connection), changes.mock.calls.length]).toEqual([['mine', 'theirs'], 1])
    back.close()
  })

  it('that does not answer holds the connection up for a while only, and is taken when it does', async () => {
    const held: (() => void)[] = []
    world.upstream.answer = (_request, response) =>
      held.push(() => response.end(JSON.stringify(documentOf('late'))))
    const connection = await open(served())
    expect(namesOf(connection)).toEqual([])
    const changed = new Promise<void>((resolve) => connection.onChange!(resolve))
    held[0]!()
    await changed
    expect(namesOf(connection)).toEqual(['late'])
  })

  it('that is later away leaves its tools, and the connection well', async () => {
    serve(documentOf('one'))
    const connection = await open(served())
    serve('no', 503)
    expect((await failure(connection.refresh!(signal))).message).toContain('answered 503')
    await connection.check(signal)
    expect(namesOf(connection)).toEqual(['one'])
  })

  it.each<[string, unknown, number, string]>([
    ['a page', '<html>', 200, 'OPENAPI_INVALID'],
    ['404', '{}', 404, 'UPSTREAM_ERROR'],
    [
      'too many operations',
      documentOf(...Array.from({ length: 201 }, (_, at) => `o${at}`)),
      200,
      'OPENAPI_INVALID',
    ],
  ])('of %s is named by check, which does not ask again', async (_what, value, status, code) => {
    serve(value, status)
    const connection = await open(served())
    const asked = world.upstream.seen.length
    expect((await failure(connection.check(signal))).code).toBe(code)
    expect(world.upstream.seen.filter(({ method }) => method === 'GET').length).toBe(asked)
    serve(documentOf('one'))
    await connection.refresh!(signal)
    expect(namesOf(connection)).toEqual(['one'])
  })

  it('S10: a private address is refused unless it is allowed, and the hint names the key', async () => {
    const connection = await open({ source: `${world.canary.origin}/openapi.json` })
    const error = await failure(connection.check(signal))
    expect([error.code, error.hint]).toEqual([
      'ADDRESS_NOT_ALLOWED',
      expect.stringContaining('apis.shop.openapi.allowPrivate'),
    ])
    expect(world.canary.seen).toEqual([])
  })

  it('S10: neither a redirect nor a reference leads to another origin', async () => {
    serve('', 302, { location: `${world.canary.origin}/openapi.json` })
    const connection = await open(served({ headers: { 'X-Key': 'k' } }))
    expect((await failure(connection.check(signal))).code).toBe('TOO_MANY_REDIRECTS')
    serve({ ...documentOf('one'), x: { $ref: `${world.canary.origin}/a.json` }, y: { $ref: 'b.json' } })
    await connection.refresh!(signal)
    expect([namesOf(connection), world.canary.seen]).toEqual([['one'], []])
    expect(world.logged('openapi.refused')).toMatchObject([
      { refs: [`${world.canary.origin}/a.json`, 'b.json'] },
    ])
  })

  it('is cut off after its time, and when the connection closes', async () => {
    world.upstream.answer = () => {}
    const connection = await open(served({ timeoutMs: 100 }))
    expect((await failure(connection.check(signal))).code).toBe('UPSTREAM_TIMEOUT')
    const slow = await open(served())
    const cut = failure(slow.check(signal))
    await slow.close()
    await slow.close()
    expect((await cut).code).toBe('CONNECTION_UNAVAILABLE')
  })

  it('does not open once Weir stops', async () => {
    serve(documentOf('one'))
    const stopped = world.open({ shop: api(served()) }, { signal: AbortSignal.abort(new Error('Stop.')) })
    expect((await failure(stopped)).message).toBe('Stop.')
  })
})

describe('several documents in one connection', () => {
  it('share no name: where two are the same, both have a hash', async () => {
    write('a.json', documentOf('list', 'one', 'http_request'))
    write('b.json', documentOf('list', 'two'))
    const connection = await world.open({
      a: api({ source: 'a.json' }),
      b: api({ source: 'b.json', prefix: 'b' }),
      c: api({ source: 'b.json' }),
    })
    const names = namesOf(connection)
    expect(new Set(names).size).toBe(7)
    expect(names.filter((name) => /^list_[0-9a-f]{8}$/.test(name))).toHaveLength(2)
    expect(names).toEqual(
      expect.arrayContaining([
        'one',
        'two',
        'b_list',
        'b_two',
        expect.stringMatching(/^http_request_[0-9a-f]{8}$/),
      ]),
    )
  })
})

describe('B-11: where an API without a base URL lives', () => {
  it('is suggested from its document, and nothing is sent there', async () => {
    write('api.json', documentOf('one'))
    const error = await failure(
      open({ source: 'api.json' }, { baseUrl: undefined, auth: { bearer: 'S3cret' } }),
    )
    expect([error.code, error.message]).toEqual(['CONFIG_INVALID', 'The API shop has no base URL.'])
    expect(error.hint).toBe('Set `apis.shop.baseUrl`; its document names https://eu.shop.example/v1.')
    serve({ ...documentOf('one'), servers: [{ url: '/v2/' }] })
    const relative = await failure(open(served(), { baseUrl: undefined }))
    expect(relative.hint).toContain(`names ${world.upstream.origin}/v2.`)
    const lost = await failure(open({ source: 'nowhere.json' }, { baseUrl: undefined }))
    expect(lost.hint).toBe('Set `apis.shop.baseUrl`.')
  })

  it('must be said where there is no document', () => {
    expect(() => world.connector.config.parse({ apis: { shop: {} } })).toThrow('baseUrl')
  })

  it.each([
    'ftp://x/a.json',
    'https://u:p@x/a.json',
    'file:///etc/passwd',
    'a\u0000b',
    '',
  ])('a source is no %j', (source) => {
    expect(() => world.connector.config.parse({ apis: { shop: api({ source }) } })).toThrow('source')
  })
})
