import { describe, expect, it } from 'vitest'
import type { Connection } from '../../../core/connector.ts'
import type { CredentialStore } from '../../../core/stores.ts'
import { failure } from '../fixtures/upstream.fixture.ts'
import { echo, useWorlds, type World } from './fixtures/authorised-world.fixture.ts'
import { HeadlessPerson } from './fixtures/headless-person.fixture.ts'

const createWorld = useWorlds()

const refreshes = ({ issuer }: World) => issuer.grants.filter(({ type }) => type === 'refresh_token').length

/** A world whose token has expired in the meantime, with a connection that knows it. */
async function createExpired(): Promise<{
  world: World
  connection: Connection
  old: Record<string, string>
}> {
  const world = await createWorld()
  await world.authorise()
  const connection = await world.open()
  // The stream of news must stand before, or it would be the first to find out.
  await expect
    .poll(() => world.server.seen.some(({ headers }) => headers['mcp-method'] === 'subscriptions/listen'))
    .toBe(true)
  const old = world.credentials.tokens() as Record<string, string>
  await forget(world, old['accessToken']!)
  return { world, connection, old }
}

/** Makes the issuer treat an access token as one that has expired; nobody tells Weir. */
async function forget(world: World, accessToken: string): Promise<void> {
  const { introspect } = world.issuer
  world.issuer.introspect = async (token) => (token === accessToken ? undefined : introspect(token))
  await world.credentials.edit({ obtainedAt: Date.now() - 3_600_000 })
}

describe('a token that has expired', () => {
  it('is renewed once for 100 calls at a time, and its refresh token is replaced', async () => {
    const { world, connection, old } = await createExpired()
    const answers = await Promise.all(Array.from({ length: 100 }, (_, index) => echo(connection, `${index}`)))
    expect(answers).toMatchObject(
      Array.from({ length: 100 }, (_, index) => ({ content: [{ text: `${index}` }] })),
    )
    expect(refreshes(world)).toBe(1)
    expect(world.issuer.refusals).toEqual([])
    const now = world.credentials.tokens() as Record<string, string>
    expect(now['refreshToken']).not.toBe(old['refreshToken'])
    expect(now['lease']).toBeUndefined()
    expect(world.issuer.grants.at(-1)).toEqual({ type: 'refresh_token', resource: world.server.url })
  })

  it('is renewed once for several processes, which wait for the one that does it', async () => {
    const { world, connection } = await createExpired()
    const others = await Promise.all([world.open(), world.open(), world.open()])
    await Promise.all([connection, ...others].map((one, index) => echo(one, `${index}`)))
    expect(refreshes(world)).toBe(1)
    expect(world.issuer.refusals).toEqual([])
  })

  it('is renewed once, also where a process that began to is overtaken before it had written so', async () => {
    const { world, connection } = await createExpired()
    const { credentials: store } = world
    let overtake: (() => Promise<unknown>) | undefined = () => echo(connection, 'b')
    const overtaken: CredentialStore = {
      get: (key) => store.get(key),
      list: (name) => store.list(name),
      remove: (key) => store.remove(key),
      async put(...change) {
        const first = overtake
        overtake = undefined
        await first?.()
        return store.put(...change)
      },
    }
    await echo(await world.open({}, { credentials: overtaken }), 'a')
    expect(refreshes(world)).toBe(1)
    expect(world.issuer.refusals).toEqual([])
  })

  it('is renewed before it expires, without a refusal', async () => {
    const world = await createWorld()
    world.issuer.ttlSeconds = 100
    await world.authorise()
    await world.credentials.edit({ obtainedAt: Date.now() - 90_000, expiresAt: Date.now() + 10_000 })
    const connection = await world.open()
    await echo(connection, 'x')
    await expect.poll(() => refreshes(world)).toBe(1)
    const before = world.server.seen.length
    await echo(connection, 'x')
    expect(world.server.seen.length - before).toBe(1)
  })

  it('is taken over from a process that died while it renewed', async () => {
    const { world, connection } = await createExpired()
    await world.credentials.edit({ lease: { by: 'the dead', until: Date.now() + 700 } })
    const begin = performance.now()
    await echo(connection, 'x')
    expect(performance.now() - begin).toBeGreaterThan(500)
    expect(refreshes(world)).toBe(1)
  })

  it('that its issuer refuses to renew fails with the cure, and is not tried again', async () => {
    const { world, connection, old } = await createExpired()
    await world.issuer.forgetRefreshToken(old['refreshToken']!)
    const error = await failure(echo(connection, 'x'))
    expect(error).toMatchObject({
      code: 'UPSTREAM_AUTH',
      message: expect.stringContaining('invalid_grant'),
      hint: expect.stringContaining('weir auth upstream'),
      data: { connection: 'upstream', command: ['weir', 'auth', 'upstream'], sent: false },
    })
    expect(JSON.stringify([error.message, error.data, String(error.cause)])).not.toContain(
      old['refreshToken'],
    )
    const tries = world.issuer.refusals.length
    await failure(echo(await world.open().catch(() => connection), 'x'))
    expect([tries, world.issuer.refusals.length]).toEqual([1, 1])
    // A person agrees once more, in another process, and the connection goes on.
    await world.authorise()
    await expect.poll(() => echo(connection, 'x').catch(() => undefined), { timeout: 8_000 }).toBeDefined()
  }, 15_000)

  it('survives an issuer that is out of order for a while', async () => {
    const { world, connection, old } = await createExpired()
    world.issuer.intercept = ({ url = '' }, response) => {
      if (url !== '/token') return false
      response.writeHead(503).end('out of order')
      return true
    }
    const error = await failure(echo(connection, 'x'))
    expect(error).toMatchObject({ code: 'UPSTREAM_AUTH', message: expect.stringContaining('503') })
    expect(world.credentials.tokens()).toMatchObject({ refreshToken: old['refreshToken'] })
    world.issuer.intercept = () => false
    await expect.poll(() => echo(connection, 'x').catch(() => undefined), { timeout: 5_000 }).toBeDefined()
  })
})

describe('a token with too few scopes', () => {
  it('names the command that asks for more; that keeps those it had', async () => {
    const world = await createWorld()
    await world.authorise()
    const connection = await world.open()
    world.server.callScopes = ['mcp:write']
    const error = await failure(echo(connection, 'x'))
    expect(error).toMatchObject({
      code: 'UPSTREAM_AUTH',
      message: expect.stringContaining('mcp:write'),
      hint: expect.stringContaining('weir auth upstream --scope mcp:write'),
    })
    expect(world.issuer.grants).toHaveLength(1)
    const person = new HeadlessPerson()
    await world.authorise({ person, scopes: ['mcp:write'] })
    expect(person.visited[0]?.searchParams.get('scope')).toBe('mcp:tools offline_access mcp:write')
    expect(await echo(await world.open(), 'x')).toMatchObject({ content: [{ text: 'x' }] })
  })

  it('is replaced by one with more where somebody is there to agree, once', async () => {
    const world = await createWorld()
    const person = new HeadlessPerson()
    const connection = await world.open({}, { person })
    world.server.callScopes = ['mcp:write']
    expect(await echo(connection, 'x')).toMatchObject({ content: [{ text: 'x' }] })
    expect(person.visited[1]?.searchParams.get('scope')?.split(' ').toSorted()).toEqual([
      'mcp:tools',
      'mcp:write',
      'offline_access',
    ])
    // What was asked for once and not granted is not asked for for ever.
    world.server.callScopes = ['never:granted']
    const error = await failure(echo(connection, 'x'))
    expect(error.code).toBe('UPSTREAM_AUTH')
    expect(person.visited.length).toBeLessThanOrEqual(3)
  })
})
