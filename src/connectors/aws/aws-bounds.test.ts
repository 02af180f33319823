import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { AwsAccess } from '../shared/aws/aws-access.ts'
import { callTool, createAwsWorld } from './fixtures/aws-world.fixture.ts'
import { type FakeAws, startFakeAws } from './fixtures/fake-aws.fixture.ts'

const world = createAwsWorld()
let fake: FakeAws
beforeAll(async () => {
  fake = await startFakeAws()
})
afterEach(() => {
  vi.restoreAllMocks()
})
afterAll(async () => {
  await world.close()
  await fake.close()
})

const scan = { operation: 'scan', table_name: 'orders' }

describe('D0-051: clients', () => {
  it('are one for each service and region, and the one that was used longest ago makes room for a 65th', async () => {
    fake.answer = (_, response) => response.end('{"Items":[],"Count":0}')
    const made = vi.spyOn(AwsAccess.prototype, 'clientConfig')
    const connection = await world.open({ dynamodb: {}, endpoint: fake.origin })
    const call = (at: number) =>
      callTool(connection, 'dynamodb_operations', { ...scan, region: `region-${at}` })
    await Promise.all([call(0), call(0)])
    expect(made).toHaveBeenCalledTimes(1)
    for (let at = 1; at < 64; at += 1) await call(at)
    await call(0)
    expect(made).toHaveBeenCalledTimes(64)
    await call(64)
    await call(0)
    expect(made).toHaveBeenCalledTimes(65)
    await call(1)
    expect(made).toHaveBeenCalledTimes(66)
  })
})

describe('B-16: answers that never end', () => {
  it('pages of a scan of which a filter leaves nothing', async () => {
    fake.answer = (_, response) => response.end('{"Items":[],"Count":0,"LastEvaluatedKey":{"pk":{"S":"a"}}}')
    const connection = await world.open({ dynamodb: {}, endpoint: fake.origin })
    const before = fake.seen.length
    expect(await callTool(connection, 'dynamodb_operations', scan)).toEqual({
      items: [],
      count: 0,
      truncated: true,
      last_evaluated_key: { pk: 'a' },
    })
    expect(fake.seen.length - before).toBe(100)
  })

  it('pages of a bucket with nothing in them', async () => {
    fake.answer = (_, response) =>
      response.end('<ListBucketResult><NextContinuationToken>on</NextContinuationToken></ListBucketResult>')
    const connection = await world.open({ s3: {}, endpoint: fake.origin })
    const before = fake.seen.length
    const input = { operation: 'list', bucket: 'reports' }
    expect(await callTool(connection, 's3_operations', input)).toEqual({
      objects: [],
      truncated: true,
      continuation: 'on',
    })
    expect(fake.seen.length - before).toBe(200)
  })

  it.each([
    ['*', 10, 1_000],
    ['none', 100, 0],
  ])('pages of secrets, of whose names %s is shown', async (pattern, pages, count) => {
    const list = Array.from({ length: 100 }, (_, index) => ({ Name: `secret-${index}` }))
    fake.answer = (_, response) => response.end(JSON.stringify({ SecretList: list, NextToken: 'on' }))
    const connection = await world.open({ secrets: { names: [pattern] }, endpoint: fake.origin })
    const before = fake.seen.length
    const { names, truncated } = await callTool(connection, 'secrets_get', {})
    expect([(names as string[]).length, truncated, fake.seen.length - before]).toEqual([count, true, pages])
  })
})
