import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Clock } from '../../../core/clock.ts'
import { renderError, type WeirError } from '../../../core/error.ts'
import { silentLogger } from '../../../core/logger.ts'
import { type Canary, startCanary } from '../../../egress/canary.fixture.ts'
import { createEgress } from '../../../egress/create-egress.ts'
import { createFakeClock } from '../../../testing/fake-clock.ts'
import { AwsAccess } from './aws-access.ts'
import { awsAccessFields } from './aws-access-config.ts'

const roleArn = 'arn:aws:iam::123456789012:role/reader'
const secrets = ['base-s3cret-canary', 'role-s3cret-canary', 'token-canary', 'machine-s3cret-canary']
const base = { accessKeyId: 'AKIABASE', secretAccessKey: secrets[0]! }
const schema = z.strictObject(awsAccessFields)

const egress = createEgress({ log: silentLogger })
const folder = mkdtempSync(join(tmpdir(), 'weir-aws-'))
const opened: AwsAccess[] = []
let sts: Canary
let answer: (url: string, headers: Record<string, unknown>) => { status?: number; body: string }

beforeAll(async () => {
  sts = await startCanary((request, response) => {
    const { status = 200, body } = answer(request.url ?? '', request.headers)
    response.writeHead(status).end(body)
  })
})
afterEach(() => {
  sts.requests.length = 0
})
afterAll(async () => {
  await Promise.all(opened.map((access) => access.close()))
  await egress.close()
  await sts[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

interface Options {
  readonly hostEnv?: Readonly<Record<string, string>>
  readonly clock?: Clock
  readonly config?: object
}

/** The credentials that a client is given, as it asks for them before each request. */
function obtain(credentials: object, { hostEnv = {}, clock, config = {} }: Options = {}) {
  const parsed = schema.parse({ credentials, endpoint: sts.origin, allowPrivate: true, ...config })
  const parts = { egress, hostEnv, baseDir: folder, ...(clock === undefined ? {} : { clock }) }
  const access = new AwsAccess(parsed, { ...parts, name: 'cloud' })
  opened.push(access)
  const { credentials: provide } = access.clientConfig('us-east-1', {
    timeoutMs: 5_000,
    responseBytesMax: 1_000,
  })
  const get = async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = await provide!()
    return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) }
  }
  return { access, get }
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('The credentials were obtained.'),
    (thrown: WeirError) => thrown,
  )

const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString()
const renderRole = (action: string, expiration: string) =>
  `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials>` +
  `<AccessKeyId>AKIAROLE</AccessKeyId><SecretAccessKey>${secrets[1]}</SecretAccessKey>` +
  `<SessionToken>${secrets[2]}</SessionToken><Expiration>${expiration}</Expiration>` +
  `</Credentials></${action}Result></${action}Response>`
const ofRole = { accessKeyId: 'AKIAROLE', secretAccessKey: secrets[1], sessionToken: secrets[2] }
const renderMachine = (expiration = inAnHour()) =>
  JSON.stringify({
    Code: 'Success',
    AccessKeyId: 'AKIAMACHINE',
    SecretAccessKey: secrets[3],
    Token: secrets[2],
    Expiration: expiration,
  })
const ofMachine = { accessKeyId: 'AKIAMACHINE', secretAccessKey: secrets[3], sessionToken: secrets[2] }

describe('credentials of AWS', () => {
  it('keys are what they are', async () => {
    expect(await obtain(base).get()).toEqual(base)
    expect(sts.requests).toEqual([])
  })

  it('a role is assumed with them, through egress, once for all clients', async () => {
    answer = () => ({ body: renderRole('AssumeRole', inAnHour()) })
    const role = { arn: roleArn, externalId: 'ours', sessionName: 'weir-test' }
    const { get } = obtain({ ...base, role })
    expect(await Promise.all([get(), get()])).toEqual([ofRole, ofRole])
    expect(sts.requests).toHaveLength(1)
    const [{ headers, body }] = sts.requests as [(typeof sts.requests)[0]]
    expect(headers['authorization']).toContain('Credential=AKIABASE/')
    expect(Object.fromEntries(new URLSearchParams(body))).toMatchObject({
      Action: 'AssumeRole',
      RoleArn: roleArn,
      ExternalId: 'ours',
      RoleSessionName: 'weir-test',
    })
  })

  it('STS has an endpoint of its own where the role says so', async () => {
    answer = () => ({ body: renderRole('AssumeRole', inAnHour()) })
    const { get } = obtain(
      { ...base, role: { arn: roleArn, endpoint: `${sts.origin}/sts` } },
      { config: { endpoint: 'http://127.0.0.1:1' } },
    )
    expect(await get()).toEqual(ofRole)
    expect(sts.requests[0]?.url).toMatch(/^\/sts/)
  })

  it('S10: STS is reached under the guard of the connection', async () => {
    const error = await failure(
      obtain({ ...base, role: { arn: roleArn } }, { config: { endpoint: 'http://169.254.169.254' } }).get(),
    )
    expect([error.code, error.data?.['sent']]).toEqual(['ADDRESS_NOT_ALLOWED', false])
  })

  it('a profile is read from the files that are named, and its role assumed through egress', async () => {
    answer = () => ({ body: renderRole('AssumeRole', inAnHour()) })
    writeFileSync(
      join(folder, 'config'),
      `[profile reader]\nrole_arn = ${roleArn}\nsource_profile = base\nregion = us-east-1\n`,
    )
    writeFileSync(
      join(folder, 'credentials'),
      `[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = ${secrets[0]}\n`,
    )
    const shared = { configFile: './config', credentialsFile: './credentials' }
    expect(await obtain({ profile: 'base', ...shared }).get()).toEqual(base)
    expect(await obtain({ profile: 'reader', ...shared }).get()).toEqual(ofRole)
    expect(sts.requests[0]?.headers['authorization']).toContain('Credential=AKIABASE/')
    const error = await failure(obtain({ profile: 'nobody', ...shared }).get())
    expect([error.code, error.message]).toEqual([
      'UPSTREAM_AUTH',
      'The credentials of profile "nobody" could not be obtained.',
    ])
    expect(JSON.stringify(renderError(error))).not.toContain(folder)
  })

  it('the environment gives keys, else a web identity, else what its container serves', async () => {
    const environment = { environment: true }
    const keys = { AWS_ACCESS_KEY_ID: 'AKIABASE', AWS_SECRET_ACCESS_KEY: secrets[0]! }
    const token = join(folder, 'token')
    writeFileSync(token, 'the-web-identity')
    const identity = { AWS_WEB_IDENTITY_TOKEN_FILE: token, AWS_ROLE_ARN: roleArn }
    const container = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${sts.origin}/container`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: token,
    }
    answer = (url) => ({
      body: url === '/container' ? renderMachine() : renderRole('AssumeRoleWithWebIdentity', inAnHour()),
    })
    const get = (hostEnv: Record<string, string>) => obtain(environment, { hostEnv }).get()
    expect(await get({ ...keys, ...identity, ...container })).toEqual(base)
    expect(sts.requests).toEqual([])
    expect(await get({ ...identity, ...container })).toEqual(ofRole)
    expect(new URLSearchParams(sts.requests[0]?.body).get('WebIdentityToken')).toBe('the-web-identity')
    expect(await get(container)).toEqual(ofMachine)
    expect(sts.requests[1]?.headers['authorization']).toBe('the-web-identity')
    expect((await failure(get({}))).code).toBe('UPSTREAM_AUTH')
  })

  it('the machine gives those of its role, to version 2 of its metadata service alone', async () => {
    answer = (url, headers) => {
      if (url === '/latest/api/token') return { body: 'metadata-token' }
      if (headers['x-aws-ec2-metadata-token'] !== 'metadata-token') return { status: 401, body: '' }
      return { body: url.endsWith('/security-credentials/') ? 'reader\n' : renderMachine() }
    }
    const instance = { instance: { endpoint: `${sts.origin}/` } }
    expect(await obtain(instance).get()).toEqual(ofMachine)
    expect(sts.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'PUT /latest/api/token',
      'GET /latest/meta-data/iam/security-credentials/',
      'GET /latest/meta-data/iam/security-credentials/reader',
    ])
    answer = () => ({ status: 404, body: secrets[3]! })
    const error = await failure(obtain(instance).get())
    expect([error.code, error.data]).toEqual(['UPSTREAM_AUTH', { status: 404, sent: false }])
    expect(sts.requests).toHaveLength(4)
  })
})

describe('how long they are kept', () => {
  it('they are obtained anew five minutes before their end, and serve until then if they cannot be', async () => {
    const clock = createFakeClock()
    const ends = (minutes: number) => new Date(clock.now() + minutes * 60_000).toISOString()
    let isUp = true
    answer = () => (isUp ? { body: renderRole('AssumeRole', ends(60)) } : { status: 503, body: '' })
    const { get } = obtain({ ...base, role: { arn: roleArn } }, { clock })
    await get()
    await clock.advance(54 * 60_000)
    await get()
    expect(sts.requests).toHaveLength(1)
    await clock.advance(2 * 60_000)
    isUp = false
    expect(await get()).toEqual(ofRole)
    expect(sts.requests).toHaveLength(2)
    await clock.advance(5 * 60_000)
    expect(await failure(get())).toMatchObject({ code: 'CLOUD_BUSY', data: { status: 503, sent: false } })
    isUp = true
    expect(await get()).toEqual(ofRole)
  })

  it('they are obtained anew once AWS refused them', async () => {
    answer = () => ({ body: renderRole('AssumeRole', inAnHour()) })
    const { access, get } = obtain({ ...base, role: { arn: roleArn } })
    await get()
    access.explain(Object.assign(new Error('no'), { name: 'ValidationException' }), 'S3', 'us-east-1')
    await get()
    expect(sts.requests).toHaveLength(1)
    access.explain(Object.assign(new Error('over'), { name: 'ExpiredToken' }), 'S3', 'us-east-1')
    await get()
    expect(sts.requests).toHaveLength(2)
  })
})

describe('S16: what failed to give credentials', () => {
  const role = { arn: roleArn }
  it.each([
    ['refuses', 403, '<ErrorResponse><Error><Code>AccessDenied</Code>', 'UPSTREAM_AUTH'],
    ['throttles', 400, '<ErrorResponse><Error><Code>Throttling</Code>', 'CLOUD_BUSY'],
    ['is down', 503, '<html>', 'CLOUD_BUSY'],
    ['talks nonsense', 200, '<html>', 'UPSTREAM_AUTH'],
  ])('STS %s: an error by its kind, in which nothing of it stands, and nothing was sent', async (_, status, body, code) => {
    const end = body.includes('<Code>')
      ? `<Message>${secrets.join()}</Message></Error></ErrorResponse>`
      : `${secrets.join()}`
    answer = () => ({ status, body: body + end })
    const { access, get } = obtain({ ...base, role })
    const error = await failure(get())
    expect([error.code, error.data?.['sent']]).toEqual([code, false])
    expect(error.message).toContain(roleArn)
    const shown = JSON.stringify(renderError(error))
    expect(secrets.filter((secret) => shown.includes(secret))).toEqual([])
    const checked = await failure(access.check(new Map([[sts.origin, 'S3']]), new AbortController().signal))
    expect(checked.code).toBe(code)
  })

  it('STS that cannot be reached is a fault that may pass, and the call it was for was not sent', async () => {
    const { get } = obtain({ ...base, role: { ...role, endpoint: 'http://127.0.0.1:1' } })
    expect(await failure(get())).toMatchObject({ code: 'UPSTREAM_UNREACHABLE', data: { sent: false } })
  })
})
