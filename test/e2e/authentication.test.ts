import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { embedWeir } from '../../src/app.ts'
import { keyOf, openGuardedWeir, sendRaw } from './guarded-weir.fixture.ts'

type Guarded = Awaited<ReturnType<typeof openGuardedWeir>>
type Headers = Readonly<Record<string, string>>

// Everything here goes over the live list of routes: one that is added is tried too.

let guarded: Guarded
beforeAll(async () => {
  guarded = await openGuardedWeir()
})
afterAll(() => guarded.close())

const publicPaths = [
  '/.well-known/oauth-protected-resource',
  '/.well-known/oauth-protected-resource/mcp',
  '/.well-known/oauth-protected-resource/mcp/:name',
  '/health',
  '/livez',
  '/readyz',
]

const insert = { database: 'shop', queries: [{ query: "insert into orders (note) values ('x')" }] }
const fetchStock = { api_name: 'shop', method: 'GET', url: '/stock' }
const rpc = (name: string, input: object) =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: input } })
const execute = (...tools: readonly [string, object][]) =>
  JSON.stringify({ tools: tools.map(([tool_slug, input]) => ({ tool_slug, arguments: input })) })

/** A request of this route that does something, if it is let in. */
function requestOf({ method, path }: { method: string; path: string }, headers: Headers) {
  const bodies: Readonly<Record<string, string>> = {
    '/mcp': rpc('database__execute_transaction', insert),
    '/mcp/:name': rpc('execute_transaction', insert),
    '/mcp/execute': execute(['database:execute_transaction', insert], ['api:http_request', fetchStock]),
  }
  const body = method === 'POST' ? (bodies[path] ?? '{}') : undefined
  const type: Headers = body === undefined ? {} : { 'content-type': 'application/json' }
  const accept = 'application/json, text/event-stream'
  return {
    ...{ method, path: path.replace(':name', 'database'), headers: { accept, ...type, ...headers } },
    ...(body === undefined ? {} : { body }),
  }
}
const send = (route: { method: string; path: string }, headers: Headers) =>
  sendRaw(guarded.url, requestOf(route, headers))
const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` })
const post = (path: string, body: string, headers: Headers) =>
  sendRaw(guarded.url, {
    ...{ method: 'POST', path, body },
    headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
  })

/** Everything that no caller has who is let in. */
async function badCredentials(): Promise<Readonly<Record<string, Headers>>> {
  const { sign, nowS, signWithPublicKey, unsigned, forged } = guarded
  return {
    none: {},
    junk: bearer('junk'),
    'an empty token': { authorization: 'Bearer ' },
    'another scheme': { authorization: `Basic ${Buffer.from('a:b').toString('base64')}` },
    'an expired token': bearer(await sign({ exp: nowS - 3_600 })),
    'a token for another audience': bearer(await sign({ aud: 'https://other.example' })),
    'a token of another issuer': bearer(await sign({ iss: 'https://evil.example' })),
    'a token without an end': bearer(await sign({ exp: undefined })),
    'a token of another key': bearer(forged),
    'a token signed with the public key': bearer(signWithPublicKey()),
    'a token without a signature': bearer(unsigned),
    'an unknown key': bearer(keyOf('nobody')),
    'a revoked key': bearer(keyOf('revoked')),
    'a junk key': { 'x-api-key': 'mcp_junk' },
    'two credentials': { ...bearer(keyOf('writer')), 'x-api-key': keyOf('writer') },
  }
}

describe('S1, C-15: every route', () => {
  it('is public by this list, or asks who calls', () => {
    const found = guarded.routes.filter(({ access }) => access === 'public').map(({ path }) => path)
    expect([...new Set(found)].sort()).toEqual(publicPaths)
    const closed = guarded.routes.filter(({ access }) => access !== 'public')
    expect(closed.length).toBeGreaterThanOrEqual(9)
    expect(closed.map(({ method, path }) => `${method} ${path}`)).toContain('POST /mcp/execute')
  })

  it('B-126: refuses who does not prove who they are with 401, and does nothing for them', async () => {
    const effects = () => [guarded.rows(), guarded.upstream.text().includes('/stock')]
    expect(effects()).toEqual([0, false])
    for (const [what, headers] of Object.entries(await badCredentials())) {
      for (const route of guarded.routes.filter(({ access }) => access !== 'public')) {
        const { status, text, headers: answered } = await send(route, headers)
        const said = `${route.method} ${route.path} with ${what}: ${text}`
        expect(status, said).toBe(401)
        expect(text, said).toContain('UNAUTHENTICATED')
        expect(answered['www-authenticate'], said).toMatch(/^Bearer resource_metadata="http:\/\/127/)
        expect(text, said).not.toMatch(/database|execute_transaction/)
      }
    }
    expect(effects()).toEqual([0, false])
  })

  it('does what it is asked to for who does', async () => {
    const token = await guarded.sign()
    for (const headers of [bearer(token), bearer(keyOf('writer')), { 'x-api-key': keyOf('writer') }]) {
      for (const path of ['/mcp', '/mcp/:name', '/mcp/execute']) {
        const before = guarded.rows()
        const { status, text } = await send({ method: 'POST', path }, headers)
        expect([status, guarded.rows()], text).toEqual([200, before + 1])
      }
    }
    expect(guarded.upstream.text()).toContain('/stock')
  })

  it('takes no credential from the URL', async () => {
    const { status } = await sendRaw(guarded.url, {
      ...{ method: 'GET', path: `/mcp/discover?access_token=${await guarded.sign()}`, headers: {} },
    })
    expect(status).toBe(401)
  })

  it('is answered by 404 where there is none, whoever asks', async () => {
    for (const headers of [{}, bearer(keyOf('writer'))]) {
      expect((await send({ method: 'GET', path: '/admin' }, headers)).status).toBe(404)
    }
  })
})

it('S7: every route refuses requests that a page of another origin or name makes', async () => {
  const credential = bearer(keyOf('writer'))
  const before = guarded.rows()
  const hostile: readonly Headers[] = [
    { host: 'evil.example' },
    { host: '127.0.0.1.evil.example' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
  ]
  for (const headers of hostile) {
    for (const route of guarded.routes) {
      const { status, text } = await send(route, { ...credential, ...headers })
      expect([status >= 400 && status < 404, status === 401], `${route.path} ${text}`).toEqual([true, false])
    }
  }
  expect(guarded.rows()).toBe(before)
})

describe('what a caller may not use', () => {
  const reader = bearer(keyOf('reader'))

  it('D4-021, B-125: is refused with its permission and the reason, and does not happen', async () => {
    const before = guarded.rows()
    const rest = await send({ method: 'POST', path: '/mcp/execute' }, reader)
    expect(rest.status).toBe(403)
    const { results } = JSON.parse(rest.text).data
    expect(results[0].error_detail).toMatchObject({
      code: 'PERMISSION_DENIED',
      data: { permission: 'tool:database:execute_transaction', rule: 'nothing in role "reader" allows it' },
    })
    const mcp = await send({ method: 'POST', path: '/mcp' }, reader)
    expect(JSON.parse(mcp.text).result).toMatchObject({
      isError: true,
      _meta: { 'weir/error': { code: 'PERMISSION_DENIED' } },
    })
    expect(guarded.rows()).toBe(before)
  })

  it('tells nothing of its schema', async () => {
    const { text } = await post(
      '/mcp/execute',
      execute(['database:execute_transaction', { wrong: 1 }]),
      reader,
    )
    expect(text).toContain('PERMISSION_DENIED')
    expect(text).not.toMatch(/INVALID_INPUT|"queries"|issues/)
  })

  it('has no name that an error tells', async () => {
    const { text } = await post('/mcp/nowhere', rpc('x', {}), reader)
    expect(text).toContain('There are: database.')
  })

  it('is in no list', async () => {
    const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
    const names = async (headers: Headers) => {
      const listed = JSON.parse((await post('/mcp', list, headers)).text).result.tools
      const discovery = JSON.parse((await send({ method: 'GET', path: '/mcp/discover' }, headers)).text)
      const search = '/mcp/discover?search=transaction'
      const found = JSON.parse((await send({ method: 'GET', path: search }, headers)).text)
      return {
        mcp: listed.map(({ name }: { name: string }) => name),
        rest: discovery.tools.map(({ name }: { name: string }) => name),
        found: found.tools.map(({ name }: { name: string }) => name),
        connections: discovery.capabilities,
      }
    }
    const all = await names(bearer(keyOf('writer')))
    expect(all.mcp).toContain('database__execute_transaction')
    // What a policy denies to everybody is shown to nobody.
    expect(all.mcp).toContain('api__http_request')
    expect(all.mcp).not.toContain('api__api_batch_request')
    expect(all.found).toContain('database:execute_transaction')
    const seen = await names(reader)
    for (const list of [seen.mcp, seen.rest, seen.found]) {
      expect(list.every((name: string) => /get_schema|fetch_rows/.test(name))).toBe(true)
    }
    expect(seen.mcp).toEqual(['database__fetch_rows', 'database__get_schema'])
    expect(seen.connections).toEqual(['database'])
    expect(await names(bearer(keyOf('operator')))).toEqual({ mcp: [], rest: [], found: [], connections: [] })
  })

  it('is Weir’s own metrics, unless a role names them', async () => {
    const statusOf = async (name: string) =>
      (await send({ method: 'GET', path: '/metrics' }, bearer(keyOf(name)))).status
    const { text } = await send({ method: 'GET', path: '/metrics' }, bearer(keyOf('operator')))
    expect(text).toMatch(/weir_authentication_failures_total\{code="UNAUTHENTICATED"\} [1-9]/)
    expect([await statusOf('writer'), await statusOf('reader'), await statusOf('operator')]).toEqual([
      403, 403, 200,
    ])
  })
})

it('S3: no byte of a caller’s credential reaches an upstream', async () => {
  const token = await guarded.sign({ canary: 'canary-of-a-token' })
  const credentials = [token, keyOf('writer')]
  for (const credential of credentials) {
    const before = guarded.upstream.text().length
    const answers = [
      await post('/mcp', rpc('api__http_request', fetchStock), bearer(credential)),
      await post('/mcp/execute', execute(['api:http_request', fetchStock]), bearer(credential)),
      await post('/mcp/far', rpc('anything', {}), bearer(credential)),
    ]
    expect(answers.slice(0, 2).map(({ status }) => status)).toEqual([200, 200])
    expect(guarded.upstream.text().length).toBeGreaterThan(before)
  }
  const bytes = guarded.upstream.text().toLowerCase()
  expect(bytes).toContain('/stock')
  for (const credential of credentials) {
    for (const part of credential.split('.')) expect(bytes).not.toContain(part.toLowerCase())
  }
  expect(bytes).not.toContain('authorization')
})

it('R15: a key that is revoked is refused by a running Weir within 5 s', async () => {
  await guarded.putKey('leaver', { roles: ['writer'] })
  const leaver = bearer(keyOf('leaver'))
  const ask = async () => (await send({ method: 'GET', path: '/mcp/discover' }, leaver)).status
  await expect.poll(ask, { timeout: 5_000, interval: 100 }).toBe(200)
  await guarded.putKey('leaver', { roles: ['writer'], endsAt: Date.now() })
  await expect.poll(ask, { timeout: 5_000, interval: 100 }).toBe(401)
})

it('S1: Weir listens beyond loopback where callers authenticate, and lets nobody else in', async () => {
  const config = { auth: { apiKeys: true }, server: { port: 0 }, log: { level: 'silent' } }
  const weir = embedWeir({ config })
  const { url } = await weir.listen({ host: '0.0.0.0' })
  const at = `http://127.0.0.1:${new URL(url).port}`
  expect((await fetch(`${at}/mcp/discover`)).status).toBe(401)
  expect((await fetch(`${at}/livez`)).status).toBe(200)
  // Nobody issues tokens here, so there is nobody to send a client to.
  expect((await fetch(`${at}/mcp/discover`)).headers.get('www-authenticate')).toBe('Bearer realm="weir"')
  expect((await fetch(`${at}/.well-known/oauth-protected-resource`)).status).toBe(404)
  await weir.close(0)
})

it('D2-090: clients are told where to get a token', async () => {
  const { headers } = await send({ method: 'POST', path: '/mcp' }, {})
  const [, at = ''] = /resource_metadata="([^"]+)"/.exec(headers['www-authenticate']!) ?? []
  const metadata = await (await fetch(at)).json()
  expect(metadata).toEqual({
    resource: `${guarded.url}/mcp`,
    resource_name: 'Weir',
    authorization_servers: ['https://id.example'],
    scopes_supported: ['mcp:tools', 'mcp:resources', 'mcp:prompts'],
    bearer_methods_supported: ['header'],
  })
  const bad = await send({ method: 'POST', path: '/mcp' }, bearer('junk'))
  expect(bad.headers['www-authenticate']).toContain('error="invalid_token"')
})
