import { describe, expect, it } from 'vitest'
import { failure } from '../fixtures/upstream.fixture.ts'
import { echo, useWorlds, type World } from './fixtures/authorised-world.fixture.ts'
import { HeadlessPerson } from './fixtures/headless-person.fixture.ts'

const createWorld = useWorlds()

/** Everything that the two servers were asked, headers included. */
function everythingSeen({ server, issuer }: World): string {
  return JSON.stringify([server.seen.map(({ url }) => url), issuer.requests])
}

describe('a server that asks for a token', () => {
  it('names the cure where there is none, and serves after a person has agreed', async () => {
    const world = await createWorld()
    const error = await failure(world.open())
    expect(error).toMatchObject({
      code: 'UPSTREAM_AUTH',
      hint: expect.stringContaining('weir auth upstream'),
    })
    expect(world.issuer.requests).toEqual([])
    expect(await world.authorise()).toBe(4)
    const connection = await world.open()
    expect(await echo(connection, 'hi')).toMatchObject({ content: [{ type: 'text', text: 'hi' }] })
    expect(world.server.callers).toEqual(['ada'])
    expect(world.issuer.grants).toEqual([{ type: 'authorization_code', resource: world.server.url }])
  })

  it('is asked for with PKCE, state, resource and the scopes that it names, and never with a token in a URL', async () => {
    const world = await createWorld()
    const person = new HeadlessPerson()
    await world.authorise({ person })
    const params = Object.fromEntries(person.visited[0]!.searchParams)
    expect(params).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
      resource: world.server.url,
      scope: 'mcp:tools offline_access',
      redirect_uri: 'http://127.0.0.1:49152/callback',
    })
    const { accessToken, refreshToken, scopes } = world.credentials.tokens()!
    expect(scopes).toEqual(['mcp:tools'])
    for (const secret of [accessToken, refreshToken] as string[])
      expect(everythingSeen(world)).not.toContain(secret)
  })

  it('finds the description in either well-known place, and a server of the oldest revision without one', async () => {
    const world = await createWorld()
    world.server.challenge = 'realm="x"'
    expect(await world.authorise()).toBe(4)
    const places = () =>
      world.server.seen.filter(({ url }) => url.startsWith('/.well-known/')).map(({ url }) => url)
    expect(places()).toEqual(['/.well-known/oauth-protected-resource/mcp'])
    world.server.isDescribed = false
    world.server.seen.length = 0
    // It then has to be its own authorization server, and this one is not.
    const error = await failure(world.authorise())
    expect(error.message).toContain(`${world.server.origin} does not describe itself`)
    expect(places()).toEqual([
      '/.well-known/oauth-protected-resource/mcp',
      '/.well-known/oauth-protected-resource',
      '/.well-known/oauth-authorization-server',
      '/.well-known/openid-configuration',
    ])
    const auth = { type: 'oauth', issuer: world.issuer.issuer, scopes: ['mcp:tools'] }
    expect(await world.authorise({ config: { auth } })).toBe(4)
  })

  it('registers once for one place to come back to, and again for another', async () => {
    const world = await createWorld()
    const again = new HeadlessPerson()
    await world.authorise()
    await world.authorise({ person: again })
    expect(world.issuer.registrations()).toBe(1)
    expect(again.points).toEqual([{ port: 49_152, isFixed: false }])
    await world.authorise({ person: new HeadlessPerson({ redirectUri: 'http://127.0.0.1:49153/callback' }) })
    expect(world.issuer.registrations()).toBe(2)
  })

  it('takes a client that was registered by hand, by secret or by key, and an issuer with a path', async () => {
    const redirect = 'http://127.0.0.1:49152/callback'
    const client_secret = 'p%a+ss: word/with=everything'
    const manual = { client_id: 'by hand', client_secret, redirect_uris: [redirect] }
    const world = await createWorld({
      clients: [
        { ...manual, application_type: 'native', grant_types: ['authorization_code', 'refresh_token'] },
      ],
      path: '/tenant',
    })
    const { issuer } = world.issuer
    const auth = {
      type: 'oauth',
      issuer,
      clientId: 'by hand',
      clientSecret: client_secret,
      redirectPort: 49_152,
    }
    const person = new HeadlessPerson()
    expect(await world.authorise({ config: { auth }, person })).toBe(4)
    expect(person.points).toEqual([{ port: 49_152, isFixed: true }])
    expect(world.issuer.registrations()).toBe(0)
    expect(world.issuer.requests).toContain('GET /.well-known/oauth-authorization-server/tenant')
    expect(world.issuer.requests).toContain('GET /tenant/.well-known/openid-configuration')
  })

  it('S16: says nothing of its tokens in a status, and gives them back when they are revoked', async () => {
    const world = await createWorld()
    await world.authorise()
    const authorisation = world.authorisation()
    const { accessToken, refreshToken } = world.credentials.tokens()! as Record<string, string>
    const status = await authorisation.status()
    expect(status).toMatchObject([{ subject: '', issuer: world.issuer.issuer, state: 'valid' }])
    expect(JSON.stringify(status)).not.toMatch(new RegExp(`${accessToken}|${refreshToken}`))
    const connection = await world.open()
    const { signal } = new AbortController()
    expect(await authorisation.revoke({ tenant: '', subject: '' }, signal)).toHaveLength(1)
    expect(await world.issuer.introspect(accessToken!)).toBeUndefined()
    expect(world.credentials.entries.size).toBe(0)
    const error = await failure(echo(connection, 'x'))
    expect(error).toMatchObject({
      code: 'UPSTREAM_AUTH',
      hint: expect.stringContaining('weir auth upstream'),
    })
    expect(error.message).not.toContain(accessToken)
  })

  it('is out of reach where Weir keeps nothing, and says so', async () => {
    const world = await createWorld()
    const error = await failure(world.open({}, { credentials: undefined }))
    expect(error).toMatchObject({ code: 'UPSTREAM_AUTH', hint: expect.stringContaining('store') })
  })

  it('lets somebody who is there agree while a call waits, and keeps the token', async () => {
    const world = await createWorld()
    const person = new HeadlessPerson()
    const connection = await world.open({}, { person })
    expect(await echo(connection, 'hi')).toMatchObject({ content: [{ text: 'hi' }] })
    expect(person.visited).toHaveLength(1)
    expect(world.credentials.tokens()).toMatchObject({ server: world.server.url })
  })

  it('S12: gets no token that was for another server, when its URL changes', async () => {
    const world = await createWorld()
    const other = await createWorld()
    await world.authorise()
    const { accessToken } = world.credentials.tokens()! as Record<string, string>
    const error = await failure(world.open({ url: other.server.url }))
    expect(error.code).toBe('UPSTREAM_AUTH')
    expect(JSON.stringify(other.server.seen)).not.toContain(accessToken)
    expect(other.server.seen.length).toBeGreaterThan(0)
  })
})
