import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../../core/logger.ts'
import { type Canary, startCanary } from '../../../egress/canary.fixture.ts'
import { createEgress } from '../../../egress/create-egress.ts'
import { failure } from '../fixtures/upstream.fixture.ts'
import { createMcpConnector } from '../mcp.ts'
import { echo, useWorlds, type World } from './fixtures/authorised-world.fixture.ts'
import { startAuthorizationServer } from './fixtures/authorization-server.fixture.ts'
import { HeadlessPerson } from './fixtures/headless-person.fixture.ts'

const createWorld = useWorlds()

/** A server of the attacker's that describes itself, and answers everything else with `ok`. */
function startAttacker(describeIt: (origin: string) => object): Promise<Canary> {
  return startCanary((request, response) => {
    const isDescription = request.url?.startsWith('/.well-known/') === true
    response.end(isDescription ? JSON.stringify(describeIt(`http://${request.headers.host}`)) : 'ok')
  })
}

const description = (issuer: string) => ({
  issuer,
  authorization_endpoint: `${issuer}/auth`,
  token_endpoint: `${issuer}/token`,
  registration_endpoint: `${issuer}/register`,
  code_challenge_methods_supported: ['S256'],
})

/** Every secret that the two servers know of. */
const secretsOf = (world: World) => {
  const { accessToken, refreshToken } = world.credentials.tokens() as Record<string, string>
  return [accessToken!, refreshToken!]
}

describe('a description', () => {
  it.each([
    ['another server', 'https://victim.example/mcp'],
    ['a server beside it', '{origin}/mcp2'],
    ['a server below it', '{origin}/mcp/deeper'],
    ['nothing', undefined],
  ])('S3: that is of %s leads to no authorisation', async (_, resource) => {
    const world = await createWorld()
    world.server.description['resource'] = resource?.replace('{origin}', world.server.origin)
    const person = new HeadlessPerson()
    const error = await failure(world.authorise({ person }))
    expect(error).toMatchObject({
      code: 'UPSTREAM_AUTH',
      message: expect.stringContaining('describes itself as'),
    })
    expect([person.visited, world.issuer.requests]).toEqual([[], []])
  })

  it('S10: is not fetched from a private address that the connection may not reach', async () => {
    const inner = createServer((_, response) => response.end('{}')).listen(0, '127.0.0.2')
    await once(inner, 'listening')
    let connections = 0
    inner.on('connection', () => {
      connections += 1
    })
    const { port } = inner.address() as AddressInfo
    const world = await createWorld()
    const config = { allowPrivate: ['127.0.0.1'] }
    const places = [`http://127.0.0.2:${port}/x`, 'https://169.254.169.254/latest', 'https://10.0.0.1/x']
    for (const place of places) {
      world.server.challenge = `resource_metadata="${place}"`
      expect((await failure(world.authorise({ config }))).code).toBe('ADDRESS_NOT_ALLOWED')
    }
    world.server.challenge = 'resource_metadata="http://metadata.internal/x"'
    expect((await failure(world.authorise({ config }))).message).toContain('not under https')
    world.server.challenge = 'realm="x"'
    world.server.description['authorization_servers'] = [`http://127.0.0.2:${port}`]
    expect((await failure(world.authorise({ config }))).code).toBe('ADDRESS_NOT_ALLOWED')
    expect(connections).toBe(0)
    inner.close()
  })

  it('S12: of a server without TLS is not even looked for: no token may travel there', async () => {
    const world = await createWorld()
    const clientSecret = 'hunter2hunter2'
    const { issuer } = world.issuer
    const auth = { type: 'oauth', grant: 'client_credentials', issuer, clientId: 'x', clientSecret }
    const { port } = new URL(world.server.url)
    // A name that means this machine and is not known to.
    const lookup = ((_: string, __: object, done: (error: null, found: object[]) => void) =>
      done(null, [{ address: '127.0.0.1', family: 4 }])) as never
    const egress = createEgress({ log: silentLogger, lookup })
    const connector = createMcpConnector({
      egress,
      hostEnv: {},
      self: { name: 'weir-test', version: '0.0.0' },
    })
    const config = connector.config.parse({ url: `http://tools.corp:${port}/mcp`, allowPrivate: true, auth })
    const { signal } = new AbortController()
    const context = { name: 'upstream', baseDir: '/', log: silentLogger, signal }
    const error = await failure(connector.open(config, context))
    await egress.close()
    expect(error.message).toContain('is not under https')
    expect(world.server.seen.map(({ method }) => method)).toEqual(['POST'])
    expect(world.issuer.requests).toEqual([])
  })

  it('R22: that has no end is cut off', async () => {
    const world = await createWorld()
    world.server.description['padding'] = 'x'.repeat(300 * 1024)
    expect((await failure(world.authorise())).code).toBe('RESPONSE_TOO_LARGE')
  })
})

describe('an authorization server', () => {
  it('that answers under another’s name is told nothing (mix-up)', async () => {
    const world = await createWorld()
    await using attacker = await startAttacker((origin) => ({
      ...description(origin),
      issuer: world.issuer.issuer,
    }))
    world.server.description['authorization_servers'] = [attacker.origin]
    const person = new HeadlessPerson()
    const error = await failure(world.authorise({ person }))
    expect(error.message).toContain(`${attacker.origin} describes itself as ${world.issuer.issuer}`)
    expect(person.visited).toEqual([])
    expect(attacker.requests.filter(({ method }) => method !== 'GET')).toEqual([])
  })

  it.each([
    ['no PKCE', { code_challenge_methods_supported: undefined }, /PKCE/],
    ['plain PKCE alone', { code_challenge_methods_supported: ['plain'] }, /PKCE/],
    ['a token endpoint without TLS', { token_endpoint: 'http://as.example/token' }, /`token_endpoint`/],
    [
      'a page that is no web page',
      { authorization_endpoint: 'javascript:alert(1)' },
      /`authorization_endpoint`/,
    ],
    ['no page', { authorization_endpoint: undefined }, /no page/],
  ])('with %s is refused before anybody is sent there', async (_, change, message) => {
    const world = await createWorld()
    await using attacker = await startCanary((request, response) => {
      const origin = `http://${request.headers.host}`
      const isRegistration = request.url === '/register'
      response.writeHead(isRegistration ? 201 : 200)
      response.end(
        JSON.stringify(isRegistration ? { client_id: 'x' } : { ...description(origin), ...change }),
      )
    })
    world.server.description['authorization_servers'] = [attacker.origin]
    const person = new HeadlessPerson()
    expect((await failure(world.authorise({ person }))).message).toMatch(message)
    expect(person.visited).toEqual([])
  })

  it('S12: that is not the configured one gets no client id and no secret', async () => {
    const world = await createWorld()
    await using attacker = await startAttacker(description)
    world.server.description['authorization_servers'] = [attacker.origin]
    const auth = {
      type: 'oauth',
      clientId: 'mine',
      clientSecret: 'hunter2hunter2',
      issuer: world.issuer.issuer,
    }
    for (const grant of ['authorization_code', 'client_credentials']) {
      const config = { auth: { ...auth, grant } }
      const error = await failure(
        grant === 'client_credentials' ? world.open(config) : world.authorise({ config }),
      )
      expect(error.message).toContain('is configured')
    }
    expect(attacker.requests).toEqual([])
  })

  it('S12: whose token endpoint redirects takes the code nowhere', async () => {
    const world = await createWorld()
    await using elsewhere = await startCanary()
    for (const status of [302, 307]) {
      world.issuer.intercept = ({ url }, response) => {
        if (url !== '/token') return false
        response.writeHead(status, { location: `${elsewhere.origin}/token` }).end()
        return true
      }
      expect((await failure(world.authorise())).code).toBe('TOO_MANY_REDIRECTS')
    }
    expect(elsewhere.connections()).toBe(0)
  })

  it.each([
    ['a token that would end the header', { access_token: 'abc\r\nx-evil: 1', token_type: 'Bearer' }],
    ['no token', { token_type: 'Bearer' }],
    ['a token of another kind', { access_token: 'abc', token_type: 'mac' }],
    ['an error with status 200', { error: 'invalid_grant', access_token: 'abc', token_type: 'Bearer' }],
  ])('that answers with %s gives Weir nothing to keep', async (_, answer) => {
    const world = await createWorld()
    world.issuer.intercept = ({ url }, response) => {
      if (url !== '/token') return false
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
      return true
    }
    expect((await failure(world.authorise())).code).toBe('UPSTREAM_AUTH')
    expect(world.credentials.tokens()).toBeUndefined()
  })
})

describe('an answer', () => {
  const cases: readonly [string, (answer: URLSearchParams) => void, RegExp][] = [
    ['of another issuer', (answer) => answer.set('iss', 'https://evil.example'), /comes from somebody else/],
    [
      'of an issuer that is almost the same',
      (answer) => answer.set('iss', `${answer.get('iss')}/`),
      /somebody else/,
    ],
    ['of two issuers', (answer) => answer.append('iss', 'https://evil.example'), /somebody else/],
    [
      'of nobody, where the issuer always names itself',
      (answer) => answer.delete('iss'),
      /comes from nobody/,
    ],
    ['to another request', (answer) => answer.set('state', 'x'.repeat(43)), /`state`/],
    ['to no request', (answer) => answer.delete('state'), /`state`/],
    ['with a state of other characters', (answer) => answer.set('state', 'é'.repeat(43)), /`state`/],
    ['without a code', (answer) => answer.delete('code'), /without a code/],
    ['with two codes', (answer) => answer.append('code', 'other'), /without a code/],
  ]
  it.each(cases)('%s redeems no code', async (_, onReturn, message) => {
    const world = await createWorld()
    const error = await failure(world.authorise({ person: new HeadlessPerson({ onReturn }) }))
    expect(error).toMatchObject({ code: 'UPSTREAM_AUTH', message: expect.stringMatching(message) })
    expect(world.issuer.requests.filter((request) => request.includes('/token'))).toEqual([])
    expect(world.credentials.tokens()).toBeUndefined()
  })

  it('of another issuer has its error shown to nobody', async () => {
    const world = await createWorld()
    const onReturn = (answer: URLSearchParams) => {
      answer.set('iss', 'https://evil.example')
      answer.set('error', 'call-this-number')
    }
    const error = await failure(world.authorise({ person: new HeadlessPerson({ onReturn }) }))
    expect(JSON.stringify([error.message, error.hint, error.data])).not.toContain('call-this-number')
  })
})

describe('a token', () => {
  it('S12: goes to no other origin when the MCP server redirects', async () => {
    const world = await createWorld()
    await world.authorise()
    const connection = await world.open()
    await using elsewhere = await startCanary()
    world.server.intercept = (_, response) =>
      response.writeHead(307, { location: `${elsewhere.origin}/mcp` }).end() !== undefined
    expect((await failure(echo(connection, 'x'))).code).toBe('TOO_MANY_REDIRECTS')
    expect(elsewhere.connections()).toBe(0)
  })

  it('of one issuer goes to no other when the server moves: Weir registers and asks anew', async () => {
    const world = await createWorld()
    const next = await startAuthorizationServer()
    try {
      const person = new HeadlessPerson()
      const connection = await world.open({}, { person })
      const [accessToken, refreshToken] = secretsOf(world)
      const [first] = person.visited
      world.server.description['authorization_servers'] = [next.issuer]
      world.server.issuer = next
      const bodies: string[] = []
      next.intercept = (request) => {
        request.prependListener('data', (chunk: Buffer) => bodies.push(chunk.toString()))
        request.pause()
        return false
      }
      await echo(connection, 'x')
      expect([person.visited.length, next.registrations()]).toEqual([2, 1])
      const [, second] = person.visited
      expect(second?.origin).toBe(next.issuer)
      const kept = [...world.credentials.entries.values()].filter(({ key }) => key.kind === 'tokens')
      expect(kept.map(({ key }) => key.issuer)).toEqual([next.issuer])
      const firstClient = first?.searchParams.get('client_id')
      expect(second?.searchParams.get('client_id')).not.toBe(firstClient)
      const told = JSON.stringify([bodies, next.requests])
      expect(bodies.length).toBeGreaterThan(0)
      for (const secret of [accessToken, refreshToken, firstClient]) expect(told).not.toContain(secret)
    } finally {
      await next.close()
    }
  })

  it('S16: is in no line of the log and in no error, whatever happens to it', async () => {
    const world = await createWorld()
    await world.authorise()
    const secrets = secretsOf(world)
    const lines: string[] = []
    const write = (fields: object, message: string) => {
      const seen = new Set<unknown>()
      const show = (_: string, value: unknown): unknown => {
        if (!(value instanceof Error)) return value
        if (seen.has(value)) return '…'
        seen.add(value)
        return { ...value, name: value.name, message: value.message, stack: value.stack, cause: value.cause }
      }
      lines.push(JSON.stringify([fields, message], show))
    }
    const log = { debug: write, info: write, warn: write, error: write }
    const connection = await world.open({}, { log })
    world.issuer.intercept = ({ url }, response) => {
      if (url !== '/token') return false
      response.writeHead(400, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ error: 'invalid_grant', error_description: `no token ${secrets[1]}` }))
      return true
    }
    world.server.issuer = { introspect: async () => undefined }
    await world.credentials.edit({ obtainedAt: 0 })
    const error = await failure(echo(connection, 'x'))
    write({ error }, 'the error itself')
    expect(lines.join('\n')).toContain('invalid_grant')
    for (const secret of secrets) expect(lines.join('\n')).not.toContain(secret)
  })
})
