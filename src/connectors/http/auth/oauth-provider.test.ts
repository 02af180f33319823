import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider from 'oidc-provider'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callApi, createWorld, failure } from '../http.fixture.ts'

const secret = 'a secret: with 100% of + & what forms escape'

let world: Awaited<ReturnType<typeof createWorld>>
let server: Server
let issuer: string
let provider: Provider
beforeAll(async () => {
  world = await createWorld()
  server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  provider = startProvider()
  server.on('request', provider.callback())
  world.upstream.answer = async (request, response) => {
    const token = await provider.ClientCredentials.find(request.headers.authorization?.slice(7) ?? '')
    response.writeHead(token === undefined ? 401 : 200).end(JSON.stringify({ scope: token?.scope }))
  }
})
afterAll(async () => {
  await world.close()
  server.closeAllConnections()
  server.close()
})

/** A certified authorization server; it tells whoever makes one what to see to in production, on the console. */
function startProvider(): Provider {
  const client = {
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    client_secret: secret,
    scope: 'orders:read',
  }
  const { info, warn } = console
  Object.assign(console, { info: () => {}, warn: () => {} })
  try {
    return new Provider(issuer, {
      clients: [
        { ...client, client_id: 'basic', token_endpoint_auth_method: 'client_secret_basic' },
        { ...client, client_id: 'post', token_endpoint_auth_method: 'client_secret_post' },
      ],
      scopes: ['orders:read'],
      clientAuthMethods: ['client_secret_basic', 'client_secret_post'],
      ttl: { ClientCredentials: 600 },
      features: { clientCredentials: { enabled: true } },
    })
  } finally {
    Object.assign(console, { info, warn })
  }
}

const open = (clientAuth: string, clientSecret = secret) => {
  const oauth = {
    tokenUrl: `${issuer}/token`,
    clientId: clientAuth,
    clientSecret,
    clientAuth,
    allowPrivate: true,
  }
  const auth = { oauth: { ...oauth, scope: 'orders:read' } }
  return world.open({ crm: { baseUrl: world.upstream.origin, allowPrivate: true, auth } })
}

describe('D0-034: a certified authorization server', () => {
  it.each(['basic', 'post'])('gives a token to a client that shows its secret by %s', async (clientAuth) => {
    const answer = await callApi(await open(clientAuth), { url: 'orders' })
    expect([answer.status_code, answer.data]).toEqual([200, { scope: 'orders:read' }])
  })

  it('gives none for a wrong secret', async () => {
    const error = await failure(callApi(await open('basic', 'wrong'), { url: 'orders' }))
    expect([error.code, error.data?.['error']]).toEqual(['UPSTREAM_AUTH', 'invalid_client'])
  })
})
