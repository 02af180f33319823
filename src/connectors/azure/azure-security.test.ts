import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { renderError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import { callTool, failure } from '../shared/cloud/call-tool.fixture.ts'
import { startCloudPair } from '../shared/cloud/cloud-pair.fixture.ts'
import { accountKey, accountName, createAzureWorld } from './fixtures/azure-world.fixture.ts'

const lines: string[] = []
const record = (fields: object, message: string) => void lines.push(`${JSON.stringify(fields)} ${message}`)
const log: Logger = { debug: record, info: record, warn: record, error: record }
const world = createAzureWorld(log)
let clouds: Awaited<ReturnType<typeof startCloudPair>>
beforeAll(async () => {
  clouds = await startCloudPair()
})
afterAll(async () => {
  await world.close()
  await clouds.close()
})

const signature = 'CanarySignature%2BQk3AAAA%3D'
const sas = `sv=2026-02-06&sp=rwdl&sig=${signature}`
const forms = [
  ['key', { accountName, accountKey }],
  ['sas', { accountName, sas }],
] as const
const operations = ['list', 'get', 'put', 'delete']
const calls = [
  { operation: 'list' },
  { operation: 'get', key: 'k' },
  { operation: 'put', key: 'k', content: 'x' },
  { operation: 'delete', key: 'k' },
]
const cases = forms.flatMap(([form, credentials]) => calls.map((input) => ({ form, credentials, input })))
const run = async (input: object, config: Record<string, unknown>) => {
  const connection = await world.open({ blob: { operations }, ...config })
  return await callTool(connection, 'blob_operations', { container: 'reports', ...input })
}

describe('S10, S12: where requests go', () => {
  it.each(cases)('$input.operation with a $form follows no redirect', async ({ credentials, input }) => {
    for (const status of [301, 302, 303, 307, 308]) {
      clouds.fake.answer = (_, response) =>
        response.writeHead(status, { location: `${clouds.canary.origin}/` }).end()
      const error = await failure(run(input, { credentials, endpoint: clouds.fake.origin }))
      expect([error.code, error.data?.['status']]).toEqual(['CLOUD_ERROR', status])
    }
    const { url, headers } = clouds.fake.seen.at(-1)!
    expect(`${url} ${headers.authorization}`).toMatch(/SharedKey devstoreaccount1:|sig=CanarySignature/)
    expect(clouds.canary.seen).toEqual([])
  })

  it.each(cases)('$input.operation with a $form reaches no private address unasked', async ({
    credentials,
    input,
  }) => {
    const away = { credentials, allowPrivate: false, endpoint: clouds.canary.origin }
    expect((await failure(run(input, away))).code).toBe('ADDRESS_NOT_ALLOWED')
    const metadata = { credentials, endpoint: 'http://169.254.169.254/' }
    expect((await failure(run(input, metadata))).code).toBe('ADDRESS_NOT_ALLOWED')
    expect(clouds.canary.seen).toEqual([])
  })

  it('a check sends no credential', async () => {
    for (const [, credentials] of forms) {
      const connection = await world.open({ credentials, endpoint: clouds.fake.origin })
      clouds.fake.answer = (_, response) => response.writeHead(400).end()
      await connection.check(new AbortController().signal)
      const { method, url, headers } = clouds.fake.seen.at(-1)!
      expect([method, url, headers.authorization]).toEqual(['HEAD', '/', undefined])
    }
  })
})

describe('S16: credentials', () => {
  it.each(cases)('$input.operation with a $form: stand in no error, whatever the answer repeats', async ({
    credentials,
    input,
  }) => {
    const secrets =
      'sas' in credentials ? [signature, decodeURIComponent(signature)] : [credentials.accountKey]
    const text = secrets.join(' ')
    const head = { 'content-type': 'application/xml', 'x-ms-error-code': 'AuthenticationFailed' }
    for (const answer of [
      (status: number) => `<Error><Code>Failed</Code><Message>${status} ${text}</Message></Error>`,
      () => `<html>${text}`,
      () => text,
    ]) {
      for (const status of [400, 403, 500]) {
        clouds.fake.answer = (_, response) => response.writeHead(status, head).end(answer(status))
        const error = await failure(run(input, { credentials, endpoint: clouds.fake.origin }))
        const shown = JSON.stringify(renderError(error))
        expect(secrets.filter((secret) => shown.includes(secret))).toEqual([])
      }
    }
    const dead = await failure(run(input, { credentials, endpoint: 'http://127.0.0.1:1' }))
    expect(secrets.filter((secret) => JSON.stringify(renderError(dead)).includes(secret))).toEqual([])
    expect(lines.filter((line) => secrets.some((secret) => line.includes(secret)))).toEqual([])
  })
})

describe('D0-060, B-06: a provider’s error', () => {
  it.each([
    [403, 'AuthenticationFailed', 'UPSTREAM_AUTH'],
    [401, 'NoAuthenticationInformation', 'UPSTREAM_AUTH'],
    [404, 'ContainerNotFound', 'CLOUD_ERROR'],
    [409, 'BlobImmutableDueToPolicy', 'CLOUD_ERROR'],
    [500, 'InternalError', 'CLOUD_BUSY'],
    [503, 'ServerBusy', 'CLOUD_BUSY'],
    [429, 'TooManyRequests', 'CLOUD_BUSY'],
  ] as const)('%s %s is %s, and is asked for once', async (status, name, code) => {
    for (const input of calls) {
      clouds.fake.answer = (_, response) => {
        response.writeHead(status, {
          'x-ms-error-code': name,
          'x-ms-request-id': 'r-1',
          'content-type': 'application/xml',
        })
        response.end(
          `<?xml version="1.0"?><Error><Code>${name}</Code><Message>So it is.\nRequestId:r-1</Message></Error>`,
        )
      }
      const before = clouds.fake.seen.length
      const error = await failure(
        run(input, { credentials: { accountName, accountKey }, endpoint: clouds.fake.origin }),
      )
      expect([error.code, error.data]).toEqual([
        code,
        { error: 'So it is.', error_code: name, status, request_id: 'r-1', sent: true },
      ])
      expect(clouds.fake.seen.length - before).toBe(1)
    }
  })

  it('an answer that is none of Azure’s', async () => {
    clouds.fake.answer = (_, response) =>
      response.writeHead(200, { 'content-type': 'application/xml' }).end('<html>')
    const config = { credentials: { accountName, accountKey }, endpoint: clouds.fake.origin }
    const error = await failure(run({ operation: 'list' }, config))
    expect([error.code, error.data?.['error']]).toEqual([
      'CLOUD_ERROR',
      'something that is no answer of Azure',
    ])
  })
})
