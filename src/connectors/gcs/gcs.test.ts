import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { describeConnector } from '../../testing/describe-connector.ts'
import { callTool, failure } from '../shared/cloud/call-tool.fixture.ts'
import { describeObjectTool } from '../shared/cloud/describe-object-tool.fixture.ts'
import { account, FakeGcs } from './fixtures/fake-gcs.fixture.ts'
import { createGcsWorld } from './fixtures/gcs-world.fixture.ts'

const operations = ['list', 'get', 'put', 'delete']
const folder = mkdtempSync(join(tmpdir(), 'weir-gcs-'))
const world = createGcsWorld()
const gcs = new FakeGcs()
/** Never answers a GET of the API. */
let silent: Server
beforeAll(async () => {
  await gcs.start(['reports', 'many', 'secret'])
  silent = createServer((request, response) => {
    if (request.method === 'HEAD') response.end()
  })
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
})
afterAll(async () => {
  await world.close()
  silent.closeAllConnections()
  silent.close()
  gcs.close()
  rmSync(folder, { recursive: true })
})
const key = () => ({ ...account, tokenUrl: `${gcs.origin}/token` })

describeConnector(world.connector, {
  config: () => ({
    credentials: key(),
    endpoint: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
    allowPrivate: true,
  }),
  deadConfig: () => ({ credentials: key(), endpoint: 'http://127.0.0.1:1', allowPrivate: true }),
  secret: account.privateKey.split('\n')[1]!,
  slowCall: { tool: 'gcs_operations', input: { operation: 'get', bucket: 'reports', key: 'k' } },
  badConfigs: [
    { config: {}, field: 'credentials' },
    { config: { credentials: { clientEmail: 'a@b' } }, field: 'credentials' },
    { config: { credentials: { keyFile: 'a', anonymous: true } }, field: 'credentials' },
    { config: { credentials: { ...account, tokenUrl: 'ftp://x' } }, field: 'credentials.tokenUrl' },
    { config: { credentials: { anonymous: true }, bucket: 'a' }, field: 'bucket' },
    { config: { credentials: { anonymous: true }, operations: ['drop'] }, field: 'operations.0' },
    { config: { credentials: { anonymous: true }, endpoint: 'http://u:p@x/' }, field: 'endpoint' },
  ],
})

describeObjectTool({
  tool: 'gcs_operations',
  kind: 'bucket',
  configPrefix: '',
  open: (settings = {}) => world.open({ credentials: key(), endpoint: gcs.origin, operations, ...settings }),
  codes: { object: 'notFound', container: 'notFound' },
  oddKeys: ['\r\n--weir', '"}\r\n'],
})

describe('credentials of Google', () => {
  beforeEach(() => {
    gcs.seen.length = 0
    gcs.claims.length = 0
    gcs.lifeSeconds = 3_600
  })
  const open = (config: Record<string, unknown>) => world.open({ endpoint: gcs.origin, ...config }, folder)
  const list = async (connection: ReturnType<typeof open>) =>
    await callTool(await connection, 'gcs_operations', { operation: 'list', bucket: 'reports' })
  const none = { objects: [], truncated: false }

  it('a service account’s key is exchanged for a token that may do no more than is offered, once', async () => {
    const connection = open({ credentials: key() })
    expect(await Promise.all([list(connection), list(connection)])).toEqual([none, none])
    expect(gcs.claims).toEqual([
      {
        iss: account.clientEmail,
        scope: 'https://www.googleapis.com/auth/devstorage.read_only',
        aud: `${gcs.origin}/token`,
        iat: expect.any(Number),
        exp: expect.any(Number),
      },
    ])
    expect(gcs.seen.map((line) => line.split(' ').slice(2).join(' '))).toEqual([
      'Bearer ya29.first-token',
      'Bearer ya29.first-token',
    ])
    await list(open({ credentials: key(), operations }))
    expect(gcs.claims[1]?.['scope']).toBe('https://www.googleapis.com/auth/devstorage.read_write')
  })

  it('the key comes from its file too, which is read anew', async () => {
    const { clientEmail: client_email, privateKey: private_key } = account
    const file = join(folder, 'key.json')
    const connection = open({ credentials: { keyFile: 'key.json' } })
    const missing = await failure(list(connection))
    expect([missing.code, missing.data?.['sent'], missing.message.includes(folder)]).toEqual([
      'UPSTREAM_AUTH',
      false,
      false,
    ])
    writeFileSync(file, '{"type": "authorized_user"}')
    expect((await failure(list(connection))).message).toMatch(/no service account’s/)
    writeFileSync(file, JSON.stringify({ client_email, private_key, token_uri: `${gcs.origin}/token` }))
    expect(await list(connection)).toEqual(none)
  })

  it('the metadata server is asked where the configuration says so, and nowhere else', async () => {
    expect(await list(open({ credentials: { instance: { endpoint: gcs.origin } } }))).toEqual(none)
    const error = await failure(list(open({ credentials: { anonymous: true } })))
    expect([error.code, error.data?.['error_code']]).toEqual(['UPSTREAM_AUTH', 'authError'])
    expect(gcs.seen.at(-1)).toMatch(/ undefined$/)
  })

  it('a token that was refused is replaced with the next call', async () => {
    const connection = open({ credentials: key() })
    await list(connection)
    gcs.revoke()
    gcs.token = 'ya29.second-token'
    expect((await failure(list(connection))).code).toBe('UPSTREAM_AUTH')
    expect(await list(connection)).toEqual(none)
    expect(gcs.seen.at(-1)).toMatch(/Bearer ya29\.second-token$/)
  })

  it('a token that ends soon is replaced before it does', async () => {
    gcs.lifeSeconds = 60
    const connection = open({ credentials: key() })
    await list(connection)
    await list(connection)
    expect(gcs.claims).toHaveLength(2)
  })

  it('S16: a key that is not the account’s, or none at all', async () => {
    const { privateKey: other } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    })
    for (const [privateKey, errorCode] of [
      [other, 'invalid_grant'],
      ['not PEM', undefined],
    ] as const) {
      const error = await failure(list(open({ credentials: { ...key(), privateKey } })))
      const { error_code: code, sent } = error.data ?? {}
      expect([error.code, code, sent, gcs.seen]).toEqual(['UPSTREAM_AUTH', errorCode, false, []])
      expect(error.message).not.toContain(privateKey)
    }
  })
})
