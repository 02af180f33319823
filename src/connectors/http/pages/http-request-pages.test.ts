import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../core/clock.ts'
import type { Connection } from '../../../core/connector.ts'
import { WeirError } from '../../../core/error.ts'
import { callTool, createWorld, failure, type RealServer } from '../http.fixture.ts'
import type { Walked } from './walk-pages.ts'

const bearer = 'S3cret-Bearer-Token'
const size = 10

let world: Awaited<ReturnType<typeof createWorld>>
let upstream: RealServer
let canary: RealServer
let connection: Connection
beforeEach(async () => {
  world = await createWorld()
  ;({ upstream, canary } = world)
  connection = await open()
  upstream.answer = (request, response) => servePage(request, response, 45)
})
afterEach(() => world.close())

const open = (more: Record<string, unknown> = {}) =>
  world.open({ crm: { baseUrl: `${upstream.origin}/v1`, allowPrivate: true, auth: { bearer }, ...more } })

const read = (
  input: Record<string, unknown> = {},
  context?: { readonly signal?: AbortSignal; readonly deadlineMs?: number },
) => callTool<Walked>(connection, 'http_request_pages', { api_name: 'crm', url: 'items', ...input }, context)

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index)

/** `total` numbers, ten a page, told in every way at once: Link, a cursor, a link in the body, a page number. */
function servePage(request: IncomingMessage, response: ServerResponse, total: number): void {
  const url = new URL(request.url!, upstream.origin)
  const page = Number(url.searchParams.get('page') ?? url.searchParams.get('after') ?? 1)
  const items = numbers(total).slice((page - 1) * size, page * size)
  const isLast = page * size >= total
  if (!isLast) response.setHeader('link', `<items?page=${page + 1}>; rel="next"`)
  response.setHeader('content-type', 'application/json')
  const more = isLast ? { cursor: null } : { cursor: page + 1, next: `/v1/items?page=${page + 1}` }
  response.end(JSON.stringify({ data: { items }, ...more }))
}

const link = { items_at: '/data/items' }
const cursor = { ...link, next_by: 'cursor', cursor_at: '/cursor', cursor_parameter: 'after' }
const bodyLink = { ...link, next_by: 'cursor', cursor_at: '/next' }
const counted = { ...link, next_by: 'page' }

describe('http_request_pages', () => {
  it.each([
    ['the header Link', link, 5],
    ['a cursor in the body', cursor, 5],
    ['a link in the body', bodyLink, 5],
    ['a page number, to the empty page', counted, 6],
  ])('B-62: reads to the end by %s', async (_how, how, pages) => {
    expect(await read(how)).toEqual({
      ...{ items: numbers(45), pages, next: null, skip: 0, stopped_by: 'end', isError: false },
    })
    expect(upstream.seen.every(({ request }) => request.headers.authorization === `Bearer ${bearer}`)).toBe(
      true,
    )
  })

  it('B-62: takes a body that is the list itself', async () => {
    upstream.answer = (_request, response) => response.end('[1,2]')
    expect(await read()).toMatchObject({ items: [1, 2], pages: 1, stopped_by: 'end' })
  })

  it.each([
    ['in the middle of a page', 25, 5],
    ['between two pages', 20, 0],
  ])('B-62: stops at items_max %s, and goes on there', async (_where, items_max, skip) => {
    const first = await read({ ...link, items_max })
    expect(first).toMatchObject({ items: numbers(items_max), stopped_by: 'items_max', skip })
    expect(first.next).toBe(`${upstream.origin}/v1/items?page=3`)
    const rest = await read({ ...link, url: first.next, skip: first.skip })
    expect(rest).toMatchObject({ items: numbers(45 - items_max, items_max), stopped_by: 'end', next: null })
  })

  it('B-62: stops at pages_max, and goes on there', async () => {
    const first = await read({ ...cursor, pages_max: 2 })
    expect(first).toMatchObject({ items: numbers(20), pages: 2, stopped_by: 'pages_max' })
    expect((await read({ ...cursor, url: first.next })).items).toEqual(numbers(25, 20))
  })

  it('B-62: the pages together have a bound, and what would go over it is left for the next call', async () => {
    connection = await open({ responseBytesMax: 3 * 1024 * 1024 })
    upstream.answer = (request, response) => {
      const page = Number(new URL(request.url!, upstream.origin).searchParams.get('page') ?? 1)
      if (page < 3) response.setHeader('link', `<?page=${page + 1}>; rel=next`)
      response.end(JSON.stringify(['a'.repeat(1.8 * 1024 * 1024)]))
    }
    const first = await read()
    expect([first.items.length, first.stopped_by, first.next]).toEqual([
      2,
      'size',
      `${upstream.origin}/v1/items?page=3`,
    ])
    expect(await read({ url: first.next })).toMatchObject({ pages: 1, stopped_by: 'end' })
  })

  it('B-62: ends a little before the call does, and goes on there', async () => {
    upstream.answer = (request, response) => {
      if (request.url!.endsWith('page=2')) return
      servePage(request, response, 45)
    }
    const {
      items,
      stopped_by,
      failure: why,
      next,
    } = await read(link, {
      deadlineMs: systemClock.monotonicMs() + 500 + 1_500,
    })
    expect([items.length, stopped_by, why?.split(':')[0]]).toEqual([10, 'failure', 'UPSTREAM_TIMEOUT'])
    expect(next).toBe(`${upstream.origin}/v1/items?page=2`)
  })

  it.each([
    ['a link to itself', { next_by: 'link' }, () => '<items>; rel=next'],
    [
      'a circle',
      { next_by: 'link' },
      (url: string) => `<${url.endsWith('b') ? 'items' : 'items?b'}>; rel=next`,
    ],
    ['a server that does not count', { next_by: 'page' }, () => ''],
    ['a cursor that stands', { next_by: 'cursor', cursor_at: '/0', cursor_parameter: 'c' }, () => ''],
  ])('B-62: %s is noticed', async (_what, how, next) => {
    upstream.answer = (request, response) => response.setHeader('link', next(request.url!)).end('[7]')
    expect(await read(how)).toMatchObject({ stopped_by: 'loop', next: null })
    expect(upstream.seen.length).toBeLessThanOrEqual(2)
  })

  it('a first page that fails is an error that tells what the API said; a later one ends the list', async () => {
    upstream.answer = (_request, response) =>
      response.writeHead(503, { 'retry-after': '7' }).end(`{"why":"${bearer}"}`)
    const error = await failure(read())
    expect([error.code, error.data]).toEqual([
      'UPSTREAM_FAILED',
      {
        api_name: 'crm',
        status_code: 503,
        retry_after: '7',
        retryAfterMs: 7_000,
        answer: { why: '[redacted]' },
        sent: true,
      },
    ])
    upstream.answer = (request, response) => {
      if (request.url!.endsWith('page=3')) response.writeHead(404).end()
      else servePage(request, response, 45)
    }
    expect(await read(link)).toMatchObject({
      ...{ items: numbers(20), stopped_by: 'failure', next: `${upstream.origin}/v1/items?page=3` },
      failure: 'UPSTREAM_REFUSED: The API crm answered with status 404.',
    })
  })

  it('says where the lists are when items_at points to none, and that a cursor needs its place', async () => {
    const error = await failure(read({ items_at: '/rows' }))
    expect([error.code, error.hint]).toEqual([
      'INVALID_INPUT',
      'Point `items_at` to the list; the answer has "/data", "/cursor", "/next".',
    ])
    expect((await failure(read({ next_by: 'cursor' }))).code).toBe('INVALID_INPUT')
    expect((await read({ ...cursor, cursor_at: '/data' })).failure).toMatch(/^INVALID_INPUT: /)
  })

  it('an abort ends it', async () => {
    const stop = new AbortController()
    const reason = new WeirError('CANCELLED', 'The caller left.')
    upstream.answer = (request, response) => {
      if (request.url!.endsWith('page=2')) stop.abort(reason)
      else servePage(request, response, 45)
    }
    expect(await failure(read(link, { signal: stop.signal }))).toBe(reason)
  })

  it('reads only, whatever the API takes', async () => {
    const tool = connection.targets().find(({ name }) => name === 'http_request_pages')
    expect(tool).toMatchObject({ effect: 'read' })
    connection = await open({ methods: ['POST'] })
    expect((await failure(read())).code).toBe('INVALID_INPUT')
    expect(upstream.connections).toBe(0)
  })
})

describe('S12: where a next page may be', () => {
  const evil: readonly (readonly [string, (canaryHost: string, own: string) => string])[] = [
    ['another host', (host) => `http://${host}/v1/items`],
    ['another host without a scheme', (host) => `//${host}/v1/items`],
    ['another scheme', (_host, own) => `https://${own}/v1/items`],
    ['as a user name', (host, own) => `http://${own}@${host}/v1/items`],
    ['with a user name', (_host, own) => `http://evil@${own}/v1/items`],
    ['backslashes', (host) => `\\\\${host}\\v1`],
    ['a slash and a backslash', (host) => `/\\${host}/v1/items`],
    ['outside the path', () => '/admin'],
    ['up and out', () => '../admin'],
    ['an encoded way out', () => '/v1/..%2fadmin'],
    ['a twice encoded way out', () => '/v1/%252e%252e/admin'],
    ['no HTTP', () => 'file:///etc/passwd'],
  ]

  it.each(evil)('%s gets nothing, in the header and in the body', async (_what, link) => {
    const next = link(new URL(canary.origin).host, new URL(upstream.origin).host)
    upstream.answer = (_request, response) =>
      response.setHeader('link', `<${next}>; rel="next"`).end(JSON.stringify({ items: [1], next }))
    for (const how of [{ next_by: 'link' }, { next_by: 'cursor', cursor_at: '/next' }]) {
      const answer = await read({ items_at: '/items', ...how })
      expect(answer).toMatchObject({ items: [1], stopped_by: 'failure', next: null })
      expect(answer.failure).toMatch(/^URL_NOT_ALLOWED: /)
    }
    expect([canary.connections, upstream.seen.length]).toEqual([0, 2])
  })

  it('a redirect of a page to another host gets nothing either', async () => {
    upstream.answer = (request, response) => {
      if (request.url!.endsWith('page=2'))
        response.writeHead(302, { location: `${canary.origin}/v1/x` }).end()
      else servePage(request, response, 45)
    }
    expect((await read(link)).failure).toMatch(/^TOO_MANY_REDIRECTS: /)
    expect(canary.connections).toBe(0)
  })
})
