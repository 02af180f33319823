import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { renderError, type WeirError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import {
  callTool,
  createAwsWorld,
  failure,
  keys,
  secretKey,
  sessionToken,
} from './fixtures/aws-world.fixture.ts'
import { calls, createDeafLookup, queueUrl, services } from './fixtures/calls.fixture.ts'
import { type FakeAws, startFakeAws } from './fixtures/fake-aws.fixture.ts'

const { asked, lookup } = createDeafLookup()
const lines: string[] = []
const record = (fields: object, message: string) => void lines.push(`${JSON.stringify(fields)} ${message}`)
const log: Logger = { debug: record, info: record, warn: record, error: record }
const world = createAwsWorld({ log, lookup })
let fake: FakeAws
let canary: FakeAws
beforeAll(async () => {
  fake = await startFakeAws()
  canary = await startFakeAws()
})
afterEach(() => {
  asked.length = 0
})
afterAll(async () => {
  await world.close()
  await fake.close()
  await canary.close()
})

describe('S10: where requests go', () => {
  it.each(calls)('%s reaches no metadata service, whatever is opened', async (tool, input) => {
    for (const host of ['169.254.169.254', '[fd00:ec2::254]', '2852039166', '[::ffff:169.254.169.254]']) {
      const connection = await world.open({ ...services, endpoint: `http://${host}/`, allowPrivate: true })
      const error = await failure(callTool(connection, tool, input))
      expect([error.code, error.data?.['sent']]).toEqual(['ADDRESS_NOT_ALLOWED', false])
    }
  })

  it.each(calls)('%s reaches no private address unless the connection says so', async (tool, input) => {
    const connection = await world.open({ ...services, endpoint: canary.origin, allowPrivate: false })
    expect((await failure(callTool(connection, tool, input))).code).toBe('ADDRESS_NOT_ALLOWED')
    expect((await failure(connection.check(new AbortController().signal))).code).toBe('ADDRESS_NOT_ALLOWED')
    expect(canary.seen).toEqual([])
  })

  it.each(calls)('S12: %s follows no redirect, so nothing it carries goes elsewhere', async (tool, input) => {
    for (const status of [301, 302, 303, 307, 308]) {
      fake.answer = (_, response) => response.writeHead(status, { location: `${canary.origin}/` }).end()
      const connection = await world.open({ ...services, endpoint: fake.origin })
      const error = await failure(callTool(connection, tool, input))
      expect([error.code, error.data?.['status']]).toEqual(['CLOUD_ERROR', status])
    }
    expect(fake.seen.at(-1)?.headers.authorization).toContain('AKIACANARY')
    expect(canary.seen).toEqual([])
  })

  it('the URL of a queue names the queue, and never decides where the request goes', async () => {
    const connection = await world.open(services)
    const input = {
      operation: 'send_message',
      queue_url: `${canary.origin}/000000000000/x`,
      message_body: 'x',
    }
    expect((await failure(callTool(connection, 'sqs_operations', input))).code).toBe('UPSTREAM_UNREACHABLE')
    expect([asked, canary.seen]).toEqual([['sqs.us-east-1.amazonaws.com'], []])
  })

  it('D0-051, D0-052: each region has its own host; a queue and a topic know theirs', async () => {
    const connection = await world.open({ ...services, region: 'eu-west-1' })
    const call = (tool: string, input: object) => failure(callTool(connection, tool, { ...input }))
    await call('dynamodb_operations', { operation: 'scan', table_name: 'orders' })
    await call('dynamodb_operations', { operation: 'scan', table_name: 'orders', region: 'ap-south-1' })
    await call('sqs_operations', { operation: 'send_message', queue_url: queueUrl, message_body: 'x' })
    await call('sns_publish', { topic_arn: 'arn:aws:sns:us-west-2:000000000000:events', message: 'x' })
    expect(asked).toEqual([
      'dynamodb.eu-west-1.amazonaws.com',
      'dynamodb.ap-south-1.amazonaws.com',
      'sqs.us-east-1.amazonaws.com',
      'sns.us-west-2.amazonaws.com',
    ])
  })
})

/** Answers that repeat everything of the request that they refuse. */
const echo = (status: number, name: string): FakeAws['answer'] => {
  return ({ url, headers, body }, response) => {
    const text = JSON.stringify({ url, headers, body, secretKey, sessionToken }).replace(/[<&]/g, '')
    response.writeHead(status, { 'x-amzn-errortype': name })
    if (String(headers['content-type']).startsWith('application/x-amz-json')) {
      response.end(JSON.stringify({ __type: name, message: text, secretKey }))
    } else {
      response.end(
        `<Error><Code>${name}</Code><Message>${text}</Message><Token>${sessionToken}</Token></Error>`,
      )
    }
  }
}

describe('S16: credentials', () => {
  it.each(calls)('%s: stand in no error, whatever the answer repeats', async (tool, input) => {
    const answers: FakeAws['answer'][] = [
      echo(400, 'ValidationException'),
      echo(403, 'SignatureDoesNotMatch'),
      echo(403, 'ExpiredToken'),
      echo(500, 'InternalError'),
      (_, response) => response.writeHead(502).end(`<html>${secretKey} ${sessionToken}`),
      (_, response) => response.writeHead(400).end(`{"message": ${secretKey}`),
      (_, response) => void response.socket?.destroy(),
      (_, response) => response.writeHead(200, { 'content-length': '99999999' }).end(),
    ]
    const connection = await world.open({ ...services, endpoint: fake.origin })
    for (const answer of answers) {
      fake.answer = answer
      const shown = JSON.stringify(renderError(await failure(callTool(connection, tool, input))))
      expect([shown.includes(secretKey), shown.includes(sessionToken)]).toEqual([false, false])
    }
    expect(lines.filter((line) => line.includes(secretKey) || line.includes(sessionToken))).toEqual([])
  })
})

describe('D0-060, B-06: a provider’s error', () => {
  const table = [
    [403, 'AccessDenied', 'UPSTREAM_AUTH', false],
    [400, 'AccessDeniedException', 'UPSTREAM_AUTH', false],
    [400, 'UnrecognizedClientException', 'UPSTREAM_AUTH', false],
    [400, 'ExpiredTokenException', 'UPSTREAM_AUTH', false],
    [403, 'RequestTimeTooSkewed', 'UPSTREAM_AUTH', false],
    [400, 'ValidationException', 'CLOUD_ERROR', false],
    [404, 'NoSuchBucket', 'CLOUD_ERROR', false],
    [400, 'ThrottlingException', 'CLOUD_BUSY', true],
    [400, 'ProvisionedThroughputExceededException', 'CLOUD_BUSY', true],
    [429, 'TooManyRequestsException', 'CLOUD_BUSY', true],
    [503, 'SlowDown', 'CLOUD_BUSY', true],
    [400, 'RequestTimeout', 'CLOUD_BUSY', true],
    [500, 'InternalServerError', 'CLOUD_BUSY', true],
  ] as const
  it.each(
    table,
  )('%s %s is %s, retryable: %s, and is asked for once', async (status, name, code, retryable) => {
    for (const [tool, input] of calls) {
      fake.answer = (request, response) => {
        const isJson = String(request.headers['content-type']).startsWith('application/x-amz-json')
        response.writeHead(status, {
          'x-amzn-errortype': name,
          'x-amzn-requestid': 'r-1',
          'x-amz-request-id': 'r-1',
        })
        if (isJson || tool === 'lambda_invoke')
          response.end(JSON.stringify({ __type: name, message: 'So it is.' }))
        else if (tool === 's3_operations')
          response.end(`<Error><Code>${name}</Code><Message>So it is.</Message></Error>`)
        else
          response.end(
            `<ErrorResponse><Error><Code>${name}</Code><Message>So it is.</Message></Error></ErrorResponse>`,
          )
      }
      const before = fake.seen.length
      const connection = await world.open({ ...services, endpoint: fake.origin })
      const error: WeirError = await failure(callTool(connection, tool, input))
      expect([tool, error.code, error.spec.retryable, error.spec.mcp]).toEqual([
        tool,
        code,
        retryable,
        'isError',
      ])
      expect(error.data).toMatchObject({ error: 'So it is.', error_code: name, status, sent: true })
      expect(fake.seen.length - before).toBe(1)
    }
  })

  it('what is no answer of AWS says so', async () => {
    fake.answer = (_, response) => response.writeHead(502).end('<html>Bad gateway')
    const connection = await world.open({ ...services, endpoint: fake.origin })
    for (const [tool, input] of calls) {
      expect(await failure(callTool(connection, tool, input))).toMatchObject({
        code: 'CLOUD_BUSY',
        data: { status: 502, error_code: expect.any(String), error: expect.any(String) },
      })
    }
  })

  it('what broke on the way is not passed on, and may be asked for again', async () => {
    fake.answer = (_, response) =>
      response.writeHead(200, { 'x-amz-checksum-crc32': 'AAAAAA==' }).end('not that')
    const connection = await world.open({ ...services, endpoint: fake.origin })
    const error = await failure(callTool(connection, ...calls[0]!))
    expect([error.code, error.spec.retryable]).toEqual(['CLOUD_BUSY', true])
  })

  it('a name that no address can be made of is the caller’s fault', async () => {
    const connection = await world.open(services)
    const input = { operation: 'list', bucket: 'x--x-s3' }
    const error = await failure(callTool(connection, 's3_operations', input))
    expect([error.code, error.data?.['sent']]).toEqual(['INVALID_INPUT', false])
  })

  it('says in which region a bucket lies', async () => {
    fake.answer = (_, response) =>
      response
        .writeHead(301, { 'x-amz-bucket-region': 'eu-west-1' })
        .end('<Error><Code>PermanentRedirect</Code><Message>Elsewhere.</Message></Error>')
    const connection = await world.open({ ...services, endpoint: fake.origin })
    const error = await failure(callTool(connection, ...calls[1]!))
    expect(error.hint).toBe('The bucket lies in eu-west-1; give that as `region`.')
  })
})

describe('a system that is away', () => {
  it('the connection opens, calls fail as retryable, and all heals without a restart', async () => {
    let isUp = false
    fake.answer = (_, response) => {
      if (isUp) response.end('{"Items":[],"Count":0}')
      else response.socket?.destroy()
    }
    const connection = await world.open({ dynamodb: {}, endpoint: fake.origin })
    const { signal } = new AbortController()
    const scan = () =>
      callTool(connection, 'dynamodb_operations', { operation: 'scan', table_name: 'orders' })
    const down = await failure(connection.check(signal))
    expect([down.code, down.data?.['service']]).toEqual(['UPSTREAM_UNREACHABLE', 'DynamoDB'])
    const error = await failure(scan())
    expect([error.code, error.spec.retryable, error.data?.['sent']]).toEqual([
      'UPSTREAM_UNREACHABLE',
      true,
      true,
    ])
    isUp = true
    await connection.check(signal)
    expect(await scan()).toEqual({ items: [], count: 0, truncated: false })
  })

  it('a check takes any answer for life, and sends nothing of the credentials', async () => {
    fake.answer = (_, response) => response.writeHead(403).end()
    const connection = await world.open({ ...services, endpoint: fake.origin })
    const before = fake.seen.length
    await connection.check(new AbortController().signal)
    const [request, ...others] = fake.seen.slice(before)
    expect([request?.method, request?.headers.authorization, others]).toEqual(['HEAD', undefined, []])
  })

  it('a check asks every service where AWS has it, and names the one that is away', async () => {
    const connection = await world.open({ ...services, region: 'cn-north-1', s3: { endpoint: fake.origin } })
    expect((await failure(connection.check(new AbortController().signal))).code).toBe('UPSTREAM_UNREACHABLE')
    expect(asked.sort()).toEqual([
      'dynamodb.cn-north-1.amazonaws.com.cn',
      'lambda.cn-north-1.amazonaws.com.cn',
      'secretsmanager.cn-north-1.amazonaws.com.cn',
      'sns.cn-north-1.amazonaws.com.cn',
      'sqs.cn-north-1.amazonaws.com.cn',
    ])
  })

  it('after close nothing is sent any more', async () => {
    const connection = await world.open({ ...services, endpoint: fake.origin, credentials: keys })
    await connection.close()
    await connection.close()
    expect(await failure(callTool(connection, ...calls[2]!))).toMatchObject({
      code: 'CONNECTION_UNAVAILABLE',
    })
  })
})
