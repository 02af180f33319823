import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { renderError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import { callTool, failure } from '../shared/cloud/call-tool.fixture.ts'
import { type FakeCloud, startCloudPair } from '../shared/cloud/cloud-pair.fixture.ts'
import { account } from './fixtures/fake-gcs.fixture.ts'
import { createGcsWorld } from './fixtures/gcs-world.fixture.ts'

const token = 'ya29.CanaryToken'
const lines: string[] = []
const record = (fields: object, message: string) => void lines.push(`${JSON.stringify(fields)} ${message}`)
const log: Logger = { debug: record, info: record, warn: record, error: record }
const world = createGcsWorld(log)
let clouds: Awaited<ReturnType<typeof startCloudPair>>
beforeAll(async () => {
  clouds = await startCloudPair()
})
afterAll(async () => {
  await world.close()
  await clouds.close()
})

/** Gives a token to who asks for one; anything else is answered as a test says. */
function answerApi(answer: FakeCloud['answer']): void {
  clouds.fake.answer = (request, response) => {
    if (request.url === '/token') response.end(JSON.stringify({ access_token: token, expires_in: 3_600 }))
    else answer(request, response)
  }
}

const operations = ['list', 'get', 'put', 'delete']
const calls = [
  { operation: 'list' },
  { operation: 'get', key: 'k' },
  { operation: 'put', key: 'k', content: 'x' },
  { operation: 'delete', key: 'k' },
]
const run = async (input: object, config: Record<string, unknown> = {}) => {
  const { origin } = clouds.fake
  const credentials = { ...account, tokenUrl: `${origin}/token` }
  const connection = await world.open({ credentials, operations, endpoint: origin, ...config })
  return await callTool(connection, 'gcs_operations', { bucket: 'reports', ...input })
}

describe('S10, S12: where requests go', () => {
  it.each(calls)('$operation follows no redirect, so no token goes elsewhere', async (input) => {
    for (const status of [301, 302, 303, 307, 308]) {
      answerApi((_, response) => response.writeHead(status, { location: `${clouds.canary.origin}/` }).end())
      const error = await failure(run(input))
      expect([error.code, error.data?.['status']]).toEqual(['CLOUD_ERROR', status])
    }
    expect(clouds.fake.seen.at(-1)?.headers.authorization).toBe(`Bearer ${token}`)
    expect(clouds.canary.seen).toEqual([])
  })

  it('nor does an assertion', async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      clouds.fake.answer = (_, response) =>
        response.writeHead(status, { location: `${clouds.canary.origin}/token` }).end()
      expect((await failure(run({ operation: 'list' }))).data?.['sent']).toBe(false)
      expect(clouds.fake.seen.at(-1)?.url).toBe('/token')
    }
    expect(clouds.canary.seen).toEqual([])
  })

  it.each(calls)('$operation reaches no private address unasked', async (input) => {
    const { origin } = clouds.canary
    const credentials = { anonymous: true }
    for (const config of [
      { credentials, allowPrivate: false, endpoint: origin },
      { credentials, endpoint: 'http://169.254.169.254/' },
      { credentials: { ...account, tokenUrl: `${origin}/token` }, allowPrivate: false },
    ]) {
      const error = await failure(run(input, config))
      expect([error.code, error.data?.['sent']]).toEqual(['ADDRESS_NOT_ALLOWED', false])
    }
    expect(clouds.canary.seen).toEqual([])
  })
})

describe('S16: credentials', () => {
  it.each(calls)('$operation: stand in no error, whatever is answered', async (input) => {
    const secrets = [token, account.privateKey.split('\n')[1]!]
    const message = secrets[0]
    for (const status of [200, 400, 403, 500]) {
      for (const text of [
        JSON.stringify({ error: { message, errors: [{ reason: message }] } }),
        `<html>${token}`,
      ]) {
        answerApi((_, response) => response.writeHead(status).end(text))
        const outcome = await run(input).catch(renderError)
        const shown = input.operation === 'get' && status === 200 ? '' : JSON.stringify(outcome)
        expect(secrets.filter((secret) => shown.includes(secret))).toEqual([])
      }
    }
    // The source of tokens repeats what it was asked.
    clouds.fake.answer = ({ body }, response) => response.writeHead(400).end(JSON.stringify({ error: body }))
    const refused = await failure(run(input))
    expect([refused.code, refused.message]).toEqual([
      'UPSTREAM_AUTH',
      'The credentials of the connection could not be obtained: their source answered HTTP 400.',
    ])
    expect(lines.filter((line) => secrets.some((secret) => line.includes(secret)))).toEqual([])
  })
})

describe('D0-060, B-06: a provider’s error', () => {
  it.each([
    [403, 'forbidden', 'UPSTREAM_AUTH'],
    [401, 'authError', 'UPSTREAM_AUTH'],
    [404, 'notFound', 'CLOUD_ERROR'],
    [412, 'conditionNotMet', 'CLOUD_ERROR'],
    [403, 'rateLimitExceeded', 'CLOUD_BUSY'],
    [429, 'rateLimitExceeded', 'CLOUD_BUSY'],
    [503, 'backendError', 'CLOUD_BUSY'],
  ] as const)('%s %s is %s, and is asked for once', async (status, reason, code) => {
    for (const input of calls) {
      answerApi((_, response) => {
        response.writeHead(status, { 'x-guploader-uploadid': 'r-1' })
        response.end(JSON.stringify({ error: { code: status, message: 'So it is.', errors: [{ reason }] } }))
      })
      const before = clouds.fake.seen.length
      const error = await failure(run(input))
      expect([error.code, error.data]).toEqual([
        code,
        { error: 'So it is.', error_code: reason, status, request_id: 'r-1', sent: true },
      ])
      const asked = clouds.fake.seen.slice(before).map(({ url }) => url)
      expect(asked.filter((url) => url !== '/token')).toHaveLength(1)
    }
  })

  it('a source of tokens that is busy may be asked again', async () => {
    clouds.fake.answer = (_, response) => response.writeHead(503).end()
    const error = await failure(run({ operation: 'list' }))
    expect([error.code, error.data]).toEqual(['CLOUD_BUSY', { status: 503, sent: false }])
  })
})
