import { type FauxqsServer, startFauxqs } from 'fauxqs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Connection } from '../../core/connector.ts'
import { callTool, createAwsWorld, failure } from './fixtures/aws-world.fixture.ts'

let aws: FauxqsServer
let connection: Connection
const world = createAwsWorld()
const operations = ['list', 'get', 'put', 'delete']

beforeAll(async () => {
  aws = await startFauxqs({ port: 0, logger: false })
  aws.createBucket('reports')
  connection = await world.open({ endpoint: aws.address, s3: { operations } })
})
afterAll(async () => {
  await world.close()
  await aws.stop()
})

const s3 = (operation: string, input: object = {}, from = connection) =>
  callTool(from, 's3_operations', { operation, bucket: 'reports', ...input })

describe('s3_operations', () => {
  it('D0-052, D0-053, D0-054, D0-055: puts, gets, lists and deletes text', async () => {
    expect(await s3('put', { key: 'a/b ä+%?#.txt', content: 'héllo', metadata: { owner: 'ada' } })).toEqual({
      success: true,
      message: 'Object a/b ä+%?#.txt uploaded to reports',
    })
    expect(await s3('get', { key: 'a/b ä+%?#.txt' })).toEqual({
      content: 'héllo',
      media_type: 'text/plain; charset=utf-8',
      size: 6,
      last_modified: expect.stringMatching(/^\d{4}-.*Z$/),
      metadata: { owner: 'ada' },
    })
    expect(await s3('list', { prefix: 'a/' })).toEqual({ objects: ['a/b ä+%?#.txt'], truncated: false })
    expect(await s3('delete', { key: 'a/b ä+%?#.txt' })).toEqual({
      success: true,
      message: 'Object a/b ä+%?#.txt deleted from reports',
    })
    expect(await s3('list', { prefix: 'a/' })).toEqual({ objects: [], truncated: false })
  })

  it('B-16: bytes go in and out as base64, and are not decoded as text', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    await s3('put', { key: 'bytes', content_base64: bytes.toString('base64'), media_type: 'image/png' })
    const got = await s3('get', { key: 'bytes' })
    expect(got).toMatchObject({
      media_type: 'image/png',
      content_base64: bytes.toString('base64'),
      size: 256,
    })
    expect(got).not.toHaveProperty('content')
  })

  it.each([
    ['application/json', '{}', 'content'],
    ['application/problem+json', '{}', 'content'],
    ['text/csv', 'a,b', 'content'],
    ['application/octet-stream', 'plain', 'content'],
    ['binary/octet-stream', 'plain', 'content'],
    ['application/octet-stream', 'a\u0000b', 'content_base64'],
    ['application/pdf', '%PDF-1.7', 'content_base64'],
    ['text/plain', '', 'content'],
  ])('B-16: an object of type %s that holds %j comes as %s', async (type, text, field) => {
    await s3('put', { key: 'typed', content_base64: Buffer.from(text).toString('base64'), media_type: type })
    expect(Object.keys(await s3('get', { key: 'typed' }))).toContain(field)
  })

  it('B-16: text that is no UTF-8 comes as base64, whatever its type says', async () => {
    await s3('put', { key: 'latin', content_base64: '6Q==', media_type: 'text/plain' })
    expect(await s3('get', { key: 'latin' })).toMatchObject({ content_base64: '6Q==' })
  })

  it('B-16: lists beyond the first page, up to a bound, and goes on from there', async () => {
    aws.createBucket('many')
    const keys = Array.from({ length: 1_203 }, (_, index) => `k${String(index).padStart(5, '0')}`)
    const many = await world.open({ endpoint: aws.address, s3: { operations, objectsMax: 1_200 } })
    for (let at = 0; at < keys.length; at += 50) {
      await Promise.all(
        keys.slice(at, at + 50).map((key) => s3('put', { bucket: 'many', key, content: '' }, many)),
      )
    }
    const first = await s3('list', { bucket: 'many' }, many)
    expect([first['objects'], first['truncated']]).toEqual([keys.slice(0, 1_200), true])
    expect(await s3('list', { bucket: 'many', continuation: first['continuation'] }, many)).toEqual({
      objects: keys.slice(1_200),
      truncated: false,
    })
    expect(await s3('list', { bucket: 'many', limit: 2 }, many)).toMatchObject({
      objects: keys.slice(0, 2),
      truncated: true,
    })
  }, 30_000)

  it.each([
    ['NoSuchKey', { operation: 'get', key: 'nothing' }],
    ['NoSuchBucket', { operation: 'list', bucket: 'nowhere' }],
    ['NoSuchBucket', { operation: 'put', bucket: 'nowhere', key: 'k', content: 'x' }],
  ])('D0-060, B-16: %s is an error with the provider’s code', async (code, { operation, ...input }) => {
    const error = await failure(s3(operation, input))
    expect([error.code, error.data?.['error_code'], error.data?.['status']]).toEqual([
      'CLOUD_ERROR',
      code,
      404,
    ])
    expect(error.data?.['error']).toMatch(/exist/)
  })

  it('refuses objects beyond its bound, both ways', async () => {
    const small = await world.open({ endpoint: aws.address, s3: { operations, objectBytesMax: 10 } })
    await s3('put', { key: 'eleven', content: 'x'.repeat(11) })
    await s3('put', { key: 'ten', content: 'x'.repeat(10) })
    expect((await failure(s3('get', { key: 'eleven' }, small))).code).toBe('RESPONSE_TOO_LARGE')
    expect(await s3('get', { key: 'ten' }, small)).toMatchObject({ size: 10 })
    const put = await failure(s3('put', { key: 'x', content: 'é'.repeat(6) }, small))
    expect([put.code, put.message]).toEqual(['INVALID_INPUT', 'The object has 12 bytes, and 10 are allowed.'])
  })

  it('refuses an object beyond what any request may take, and says where the bound is', async () => {
    const large = await world.open({
      endpoint: aws.address,
      s3: { operations, objectBytesMax: 6 * 1024 * 1024 },
    })
    await s3('put', { key: 'large', content: 'x'.repeat(5 * 1024 * 1024) }, large)
    const error = await failure(s3('get', { key: 'large' }))
    expect([error.code, error.hint]).toEqual([
      'RESPONSE_TOO_LARGE',
      'An operator can raise `s3.objectBytesMax`.',
    ])
    expect(await s3('get', { key: 'large' }, large)).toMatchObject({ size: 5 * 1024 * 1024 })
  })

  it.each([
    [{ key: 'k' }, /needs one of content/],
    [{ key: 'k', content: 'a', content_base64: 'YQ==' }, /needs one of content/],
    [{ key: 'k', content_base64: 'no base64!' }, /is no base64/],
  ])('refuses to put %j', async (input, message) => {
    const error = await failure(s3('put', input))
    expect([error.code, message.test(error.message)]).toEqual(['INVALID_INPUT', true])
  })

  it.each([
    '../secret/k',
    'a/../../secret/k',
    './k',
    'a/..',
    '%2e%2e/secret/k',
    'a/%2E./k',
  ])('a key such as %s reaches its own object or none, and never another bucket', async (key) => {
    aws.createBucket('secret')
    const mine = await world.open({ endpoint: aws.address, s3: { operations, buckets: ['reports'] } })
    const error = await s3('put', { key, content: 'x' }, mine).then(
      () => undefined,
      (thrown: { code: string }) => thrown.code,
    )
    expect([undefined, 'URL_NOT_ALLOWED']).toContain(error)
    expect(await s3('list', { bucket: 'secret' })).toMatchObject({ objects: [] })
    const { objects } = await s3('list', {}, mine)
    expect((objects as string[]).includes(key)).toBe(error === undefined)
    if (error === undefined) await s3('delete', { key }, mine)
  })
})
