import { generateKeyPairSync } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { startSdkV1 } from '../fixtures/sdk-http.fixture.ts'
import { failure } from '../fixtures/upstream.fixture.ts'
import { echo, useWorlds } from './fixtures/authorised-world.fixture.ts'
import { HeadlessPerson } from './fixtures/headless-person.fixture.ts'

const createWorld = useWorlds()
const machine = {
  client_id: 'machine',
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
}

describe('Weir as the client itself', () => {
  it.each([
    'client_secret_basic',
    'client_secret_post',
  ])('gets a token with its secret by %s, and nobody is asked', async (method) => {
    const secret = 'a+b%c: secret'
    const client = { ...machine, client_secret: secret, token_endpoint_auth_method: method }
    const world = await createWorld({ clients: [client] })
    const { issuer } = world.issuer
    if (method === 'client_secret_post') {
      world.issuer.intercept = onlyMethod(issuer, method)
    }
    const auth = {
      type: 'oauth',
      grant: 'client_credentials',
      issuer,
      clientId: 'machine',
      clientSecret: secret,
    }
    const connection = await world.open({ auth }, { credentials: undefined })
    await echo(connection, 'x')
    expect(world.issuer.grants).toEqual([{ type: 'client_credentials', resource: world.server.url }])
    expect(world.credentials.entries.size).toBe(0)
  })

  it.each([
    ['RS256', 'rsa', { modulusLength: 2_048 }],
    ['ES256', 'ec', { namedCurve: 'P-256' }],
  ] as const)('gets a token by signing with its key, %s', async (alg, type, details) => {
    const { publicKey, privateKey } = generateKeyPairSync(type as 'ec', details as { namedCurve: string })
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg }
    const client = { ...machine, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } }
    const world = await createWorld({ clients: [{ ...client, token_endpoint_auth_signing_alg: alg }] })
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' })
    const auth = {
      type: 'oauth',
      grant: 'client_credentials',
      clientId: 'machine',
      privateKey: pem,
      keyId: 'k1',
    }
    await echo(await world.open({ auth }), 'x')
    expect(world.issuer.grants).toEqual([{ type: 'client_credentials', resource: world.server.url }])
  })

  it('gets another token when one is no longer taken, and asks for more scopes by itself', async () => {
    const secret = 'a secret'
    const world = await createWorld({ clients: [{ ...machine, client_secret: secret }] })
    const { issuer } = world.issuer
    const auth = {
      type: 'oauth',
      grant: 'client_credentials',
      issuer,
      clientId: 'machine',
      clientSecret: secret,
    }
    const connection = await world.open({ auth })
    world.server.callScopes = ['mcp:write']
    await Promise.all(Array.from({ length: 50 }, () => echo(connection, 'x')))
    expect(world.issuer.grants).toHaveLength(2)
  })

  it('S16: quotes no key that cannot be read', async () => {
    const world = await createWorld()
    const auth = {
      type: 'oauth',
      grant: 'client_credentials',
      clientId: 'machine',
      privateKey: 'hunter2 no key',
    }
    const error = await failure(world.open({ auth }))
    expect(error.code).toBe('CONFIG_INVALID')
    expect(`${error.message}${error.hint}${error.cause}`).not.toContain('hunter2')
  })
})

describe('callers with accounts of their own', () => {
  const auth = { type: 'oauth', per: 'caller' }
  const ada = { subject: 'local:ada', tenant: 'default' }
  const bob = { subject: "oidc:b'ob", tenant: 'other' }

  it('S5: use their own tokens on connections of their own, however their calls mix', async () => {
    const world = await createWorld()
    const config = { auth }
    await world.authorise({ config, person: new HeadlessPerson({ login: 'gateway' }) })
    await world.authorise({ config, owner: ada, person: new HeadlessPerson({ login: 'ada' }) })
    await world.authorise({ config, owner: bob, person: new HeadlessPerson({ login: 'bob' }) })
    const connection = await world.open(config)
    const callers = Array.from({ length: 60 }, (_, index) => (index % 2 === 0 ? ada : bob))
    await Promise.all(callers.map((caller, index) => echo(connection, `${index}`, { caller })))
    expect(world.server.callers.toSorted()).toEqual([...Array(30).fill('ada'), ...Array(30).fill('bob')])
    expect(await world.authorisation(config).status()).toHaveLength(3)
  })

  it('S5: have sessions of their own at a legacy server, opened and ended with their own tokens', async () => {
    const world = await createWorld()
    const legacy = await startSdkV1()
    try {
      world.server.behind = legacy.url
      const config = { auth }
      await world.authorise({ config, person: new HeadlessPerson({ login: 'gateway' }) })
      await world.authorise({ config, owner: ada, person: new HeadlessPerson({ login: 'ada' }) })
      await world.authorise({ config, owner: bob, person: new HeadlessPerson({ login: 'bob' }) })
      world.server.seen.length = 0
      const connection = await world.open(config)
      for (const caller of [ada, bob, ada]) {
        expect(await echo(connection, 'x', { caller })).toMatchObject({ content: [{ text: 'x' }] })
      }
      await connection.close()
      const owners = new Map<string, Set<string>>()
      for (const { headers } of world.server.seen) {
        const session = String(headers['mcp-session-id'] ?? '')
        if (session !== '')
          owners.set(session, (owners.get(session) ?? new Set()).add(String(headers.authorization)))
      }
      const tokens = [...owners.values()].map((used) => [...used])
      expect(tokens.map((used) => used.length)).toEqual([1, 1, 1])
      expect(new Set(tokens.flat()).size).toBe(3)
      expect(world.server.seen.filter(({ method }) => method === 'DELETE')).toHaveLength(3)
    } finally {
      await legacy.close()
    }
  })

  it('S5: never use another’s, nor the gateway’s: who has none is told what to do', async () => {
    const world = await createWorld()
    const config = { auth }
    const nobody = await failure(world.open(config))
    expect(nobody.hint).toContain('weir auth upstream --gateway')
    await world.authorise({ config })
    const connection = await world.open(config)
    const error = await failure(echo(connection, 'x', { caller: ada }))
    expect(error).toMatchObject({
      code: 'UPSTREAM_AUTH',
      data: { connection: 'upstream', subject: 'local:ada' },
    })
    expect(error.hint).toContain('`weir auth upstream --as local:ada`')
    const other = await failure(echo(connection, 'x', { caller: bob }))
    expect(other.hint).toContain(String.raw`weir auth upstream --as 'oidc:b'\''ob' --tenant other`)
    expect(world.server.callers).toEqual([])
    await world.authorise({ config, owner: ada })
    await echo(connection, 'x', { caller: ada })
    expect(world.server.callers).toEqual(['ada'])
    await connection.close()
    expect((await failure(echo(connection, 'x', { caller: ada }))).code).toBe('CONNECTION_UNAVAILABLE')
  })
})

/** Has the server's description name one way to authenticate alone. */
function onlyMethod(issuer: string, method: string) {
  return ({ url = '' }: IncomingMessage, response: ServerResponse) => {
    if (!url.startsWith('/.well-known/')) return false
    const description = {
      issuer,
      token_endpoint: `${issuer}/token`,
      token_endpoint_auth_methods_supported: [method],
    }
    response.writeHead(200).end(JSON.stringify(description))
    return true
  }
}
