import { createHmac } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Connection } from '../../../core/connector.ts'
import { renderError } from '../../../core/error.ts'
import { createFakeClock } from '../../../testing/fake-clock.ts'
import { callTool, createWorld, failure, type RealServer } from '../http.fixture.ts'

const plain = 'a plain s3cret, with ümlaut'
const standard = `whsec_${Buffer.from('0123456789abcdef01234567').toString('base64')}`

let world: Awaited<ReturnType<typeof createWorld>>
let receiver: RealServer
let canary: RealServer
let connection: Connection
beforeEach(async () => {
  world = await createWorld()
  ;({ upstream: receiver, canary } = world)
  receiver.answer = (_request, response) => response.writeHead(202).end('taken')
  connection = await open()
})
afterEach(() => world.close())

const open = (more: Record<string, unknown> = {}) => {
  const targets = [`${receiver.origin}/hooks`]
  const secrets = { plain: { secret: plain }, standard: { secret: standard } }
  return world.open({}, { webhooks: { targets, secrets, allowPrivate: true, ...more } })
}

interface Sent {
  readonly status_code: number
  readonly success: boolean
  readonly response: string
  readonly webhook_id: string
}
const send = (input: Record<string, unknown> = {}, context?: { readonly signal?: AbortSignal }) =>
  callTool<Sent>(
    connection,
    'webhook_send',
    { webhook_url: `${receiver.origin}/hooks/in`, payload: { event: 'päid', n: 1.0, at: null }, ...input },
    context,
  )
const headersOf = (seen: RealServer['seen'][0]) => seen.request.headers as Record<string, string>

describe('webhook_send', () => {
  it.each([
    ['plain', plain, new Webhook(new Uint8Array(Buffer.from(plain)), { format: 'raw' })],
    ['standard', standard, new Webhook(standard)],
  ])('D0-038, B-13, C-10, D1-033: signs the bytes that it sends, in both forms, with the secret %s', async (name, secret, verifier) => {
    const sent = await send({ signature_secret: name })
    expect(sent).toEqual({
      ...{ status_code: 202, success: true, response: 'taken', isError: false },
      webhook_id: expect.stringMatching(/^msg_[0-9a-f-]{36}$/),
    })
    expect(receiver.seen.length).toBe(1)
    const [{ request, body }] = receiver.seen as [RealServer['seen'][0]]
    expect([request.method, request.url, body]).toEqual([
      'POST',
      '/hooks/in',
      '{"event":"päid","n":1,"at":null}',
    ])
    const headers = headersOf(receiver.seen[0]!)
    expect(headers['content-type']).toBe('application/json')
    const hex = createHmac('sha256', Buffer.from(secret)).update(Buffer.from(body)).digest('hex')
    expect(headers['x-webhook-signature']).toBe(`sha256=${hex}`)
    expect(verifier.verify(body, headers)).toEqual({ event: 'päid', n: 1, at: null })
    expect(() => verifier.verify(`${body} `, headers)).toThrow()
    expect(headers['webhook-id']).toBe(sent.webhook_id)
    expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1_000)).toBeLessThan(60)
  })

  it('B-13: each webhook has an id of its own, and the time of Weir’s clock', async () => {
    await world.close()
    world = await createWorld({ clock: createFakeClock() })
    receiver = world.upstream
    connection = await open()
    const ids = [await send(), await send()].map(({ webhook_id }) => webhook_id)
    expect(new Set(ids).size).toBe(2)
    expect(headersOf(receiver.seen[0]!)['webhook-timestamp']).toBe(String(Date.UTC(2026, 0, 1) / 1_000))
  })

  it('D0-038: without a secret it is not signed', async () => {
    await send()
    const names = Object.keys(headersOf(receiver.seen[0]!))
    expect(names.filter((name) => name.includes('signature'))).toEqual([])
    expect(names).toEqual(expect.arrayContaining(['webhook-id', 'webhook-timestamp']))
  })

  it.each([
    [204, true, false],
    [302, false, false],
    [410, false, false],
    [500, false, true],
  ])('D0-038: status %i: success %s, isError %s', async (status, success, isError) => {
    receiver.answer = (_request, response) =>
      response.writeHead(status, { location: `${canary.origin}/hooks/in` }).end()
    expect(await send()).toMatchObject({ status_code: status, success, isError, response: '' })
    expect([canary.connections, receiver.seen.length]).toEqual([0, 1])
  })

  it('B-13: has a timeout, and says that the webhook may have arrived', async () => {
    connection = await open({ timeoutMs: 500 })
    receiver.answer = () => {}
    const error = await failure(send())
    expect([error.code, error.data?.['sent']]).toEqual(['UPSTREAM_TIMEOUT', true])
    expect(receiver.seen.length).toBe(1)
  })

  it.each([
    ['plain', {}, (text: string) => text],
    ['unfolding', { 'content-encoding': 'gzip' }, (text: string) => gzipSync(text)],
  ])('an answer without end is cut, and what arrived still counts (%s)', async (_how, headers, encode) => {
    receiver.answer = (_request, response) =>
      response.writeHead(200, headers).end(encode('a'.repeat(8 * 1024 * 1024)))
    const { success, response } = await send()
    expect([success, response.length]).toEqual([true, 64 * 1024])
  })

  it('S16: a secret that comes back is covered', async () => {
    receiver.answer = (_request, response) => response.end(`${plain} ${standard}`)
    expect((await send({ signature_secret: 'plain' })).response).toBe('[redacted] [redacted]')
  })

  it('an abort ends it with its reason', async () => {
    const stop = new AbortController()
    receiver.answer = () => stop.abort()
    expect((await failure(send({}, { signal: stop.signal }))).code).toBe('CANCELLED')
  })
})

describe('B-14: the secret', () => {
  it.each([
    plain,
    standard,
    '__proto__',
    'constructor',
    '',
  ])('%j is no name: it is refused and not repeated', async (given) => {
    const error = await failure(send({ signature_secret: given }))
    expect([error.code, error.data]).toEqual(['INVALID_INPUT', { known: ['plain', 'standard'], sent: false }])
    if (given !== '') expect(JSON.stringify(renderError(error))).not.toContain(given)
    expect(receiver.connections).toBe(0)
  })

  it('is named in the tool’s description, and never shown there', () => {
    const { description } = connection.targets()[0]!
    expect(description).toContain('plain, standard')
    for (const secret of [plain, standard]) expect(description).not.toContain(secret)
  })

  it('signs for its own targets only, because a signature could be shown to the receiver again', async () => {
    const secrets = { plain: { secret: plain, targets: [`${receiver.origin}/hooks/a`] } }
    connection = await open({ targets: undefined, secrets })
    const other = { webhook_url: `${canary.origin}/hooks/a`, signature_secret: 'plain' }
    expect((await failure(send(other))).code).toBe('URL_NOT_ALLOWED')
    expect((await failure(send({ signature_secret: 'plain' }))).code).toBe('URL_NOT_ALLOWED')
    expect([canary.connections, receiver.connections]).toEqual([0, 0])
    await send({ webhook_url: `${receiver.origin}/hooks/a/b`, signature_secret: 'plain' })
    expect(receiver.seen.length).toBe(1)
  })
})

describe('where a webhook may go', () => {
  it.each([
    ['another host', (host: string) => `http://${host}/hooks/in`],
    ['without a scheme', (host: string) => `//${host}/hooks/in`],
    ['as a user name', (host: string, own: string) => `http://${own}@${host}/hooks/in`],
    ['with a user name', (_host: string, own: string) => `http://a:b@${own}/hooks/in`],
    ['backslashes', (host: string) => `http:\\\\${host}\\hooks`],
    ['outside the path', (_host: string, own: string) => `http://${own}/admin`],
    ['up and out', (_host: string, own: string) => `http://${own}/hooks/../admin`],
    ['an encoded way out', (_host: string, own: string) => `http://${own}/hooks/..%2fadmin`],
    ['a relative path', () => 'hooks/in'],
    ['no HTTP', () => 'file:///etc/passwd'],
  ])('S10, S12: %s gets nothing, not even a connection', async (_what, url) => {
    const webhook_url = url(new URL(canary.origin).host, new URL(receiver.origin).host)
    expect((await failure(send({ webhook_url }))).code).toBe('URL_NOT_ALLOWED')
    expect([canary.connections, receiver.connections]).toEqual([0, 0])
  })

  it.each([
    'http://127.0.0.1:PORT/',
    'http://localhost:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f.1:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://169.254.169.254/latest/meta-data/',
    'http://10.0.0.1/',
  ])('S10, B-13: without targets the public internet is open, and %s is not', async (form) => {
    connection = await open({ targets: undefined, secrets: {}, allowPrivate: false })
    const webhook_url = form.replace('PORT', new URL(canary.origin).port)
    const error = await failure(send({ webhook_url }))
    expect([error.code, error.data?.['sent']]).toEqual(['ADDRESS_NOT_ALLOWED', false])
    expect(error.hint).toContain('`webhooks.allowPrivate`')
    expect(canary.connections).toBe(0)
  })
})

describe('the configuration of webhooks', () => {
  it.each([
    ['webhooks.secrets.a.targets', { secrets: { a: { secret: plain } } }],
    ['webhooks.secrets.a.secret', { targets: ['https://x'], secrets: { a: { secret: 'short' } } }],
    [
      'webhooks.secrets.a.secret',
      { targets: ['https://x'], secrets: { a: { secret: 'whsec_not*base64*text' } } },
    ],
    ['webhooks.targets.0', { targets: ['https://x/?q'] }],
    ['webhooks.timeoutMs', { timeoutMs: 0 }],
  ])('names the field %s, and shows no secret', (path, webhooks) => {
    const schema = world.connector.config as unknown as {
      safeParse(value: unknown): { error: { message: string; issues: { path: PropertyKey[] }[] } }
    }
    const { error } = schema.safeParse({ webhooks })
    expect(error.issues.map((issue) => issue.path.join('.'))).toContain(path)
    expect(error.message).not.toContain(plain)
  })

  it('is enough without any API, and refuses a payload over its bound before anything is sent', async () => {
    connection = await open({ payloadBytesMax: 100 })
    expect(connection.targets().map(({ name }) => name)).toEqual(['webhook_send'])
    const error = await failure(send({ payload: { a: 'ü'.repeat(50) } }))
    expect([error.code, error.data]).toEqual([
      'INVALID_INPUT',
      { bytes: 108, payloadBytesMax: 100, sent: false },
    ])
    expect(receiver.connections).toBe(0)
    await connection.check(AbortSignal.timeout(1_000))
  })

  it('a longer timeout becomes the tool’s own', async () => {
    connection = await open({ timeoutMs: 60_000 })
    expect(connection.targets()[0]).toMatchObject({ timeoutMs: 60_000, effect: 'write' })
  })
})
