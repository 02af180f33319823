import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ContainerSASPermissions } from '@azure/storage-blob'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeConnector } from '../../testing/describe-connector.ts'
import { callTool, failure } from '../shared/cloud/call-tool.fixture.ts'
import { describeObjectTool } from '../shared/cloud/describe-object-tool.fixture.ts'
import { accountKey, accountName, createAzureWorld, startAzurite } from './fixtures/azure-world.fixture.ts'

const operations = ['list', 'get', 'put', 'delete']
const world = createAzureWorld()
let azurite: Awaited<ReturnType<typeof startAzurite>>
/** Never answers a GET. */
let silent: Server
beforeAll(async () => {
  azurite = await startAzurite(['reports', 'many', 'secret'])
  silent = createServer((request, response) => {
    if (request.method === 'HEAD') response.end()
  })
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
}, 60_000)
afterAll(async () => {
  await world.close()
  silent.closeAllConnections()
  silent.close()
  await azurite.close()
})
const key = { accountName, accountKey }

describeConnector(world.connector, {
  config: () => ({
    credentials: key,
    endpoint: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/${accountName}`,
    allowPrivate: true,
    blob: { operations },
  }),
  deadConfig: () => ({ credentials: key, endpoint: 'http://127.0.0.1:1', allowPrivate: true, blob: {} }),
  secret: accountKey,
  slowCall: { tool: 'blob_operations', input: { operation: 'get', container: 'reports', key: 'k' } },
  badConfigs: [
    { config: { blob: {} }, field: 'credentials' },
    { config: { credentials: key }, field: 'blob' },
    { config: { credentials: { accountKey }, blob: {} }, field: 'credentials' },
    { config: { credentials: { ...key, sas: 'sig=x' }, blob: {} }, field: 'credentials' },
    { config: { credentials: { accountName, sas: 'sv=1&se=2' }, blob: {} }, field: 'credentials.sas' },
    {
      config: { credentials: { accountName: 'a/../b', accountKey }, blob: {} },
      field: 'credentials.accountName',
    },
    {
      config: { credentials: { connectionString: accountKey }, blob: {} },
      field: 'credentials.connectionString',
    },
    {
      config: {
        credentials: { connectionString: `AccountKey=${accountKey};BlobEndpoint=http://x` },
        blob: {},
      },
      field: 'credentials.connectionString',
    },
    {
      config: { credentials: { connectionString: 'AccountName=abc' }, blob: {} },
      field: 'credentials.connectionString',
    },
    { config: { credentials: key, blob: { container: 'a' } }, field: 'blob.container' },
    { config: { credentials: key, blob: { operations: ['drop'] } }, field: 'blob.operations.0' },
    { config: { credentials: key, blob: {}, endpoint: 'http://u:p@x/' }, field: 'endpoint' },
  ],
})

describeObjectTool({
  tool: 'blob_operations',
  kind: 'container',
  configPrefix: 'blob.',
  open: (settings = {}) =>
    world.open({ credentials: key, endpoint: azurite.endpoint, blob: { operations, ...settings } }),
  codes: { object: 'BlobNotFound', container: 'ContainerNotFound' },
  oddKeys: [],
})

describe('credentials of Azure', () => {
  const list = async (config: Record<string, unknown>) =>
    await callTool(await world.open(config), 'blob_operations', { operation: 'list', container: 'reports' })
  const none = { objects: [], truncated: false }

  it('a connection string with a key', async () => {
    expect(await list({ credentials: { connectionString: azurite.connectionString } })).toEqual(none)
  })

  it.each(['', '?'])('a shared access signature, which begins with %j', async (begin) => {
    const url = await azurite.service.getContainerClient('reports').generateSasUrl({
      expiresOn: new Date(Date.now() + 60_000),
      permissions: ContainerSASPermissions.parse('rl'),
    })
    const sas = `${begin}${url.split('?')[1]}`
    expect(await list({ credentials: { accountName, sas }, endpoint: azurite.endpoint })).toEqual(none)
    const connectionString = `BlobEndpoint=${azurite.endpoint}/;SharedAccessSignature=${sas}`
    expect(await list({ credentials: { connectionString } })).toEqual(none)
    const config = { credentials: { accountName, sas }, endpoint: azurite.endpoint, blob: { operations } }
    const put = { operation: 'put', container: 'reports', key: 'k', content: 'x' }
    const error = await failure(callTool(await world.open(config), 'blob_operations', put))
    expect([error.code, error.data?.['error_code']]).toEqual([
      'UPSTREAM_AUTH',
      'AuthorizationPermissionMismatch',
    ])
    expect(await list(config)).toEqual(none)
  })

  it('a key that is not the account’s', async () => {
    const wrong = { accountName, accountKey: Buffer.from('no key of this account').toString('base64') }
    const error = await failure(list({ credentials: wrong, endpoint: azurite.endpoint }))
    expect([error.code, error.data?.['error_code']]).toEqual(['UPSTREAM_AUTH', 'AuthorizationFailure'])
  })
})
