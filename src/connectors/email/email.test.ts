import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Connection } from '../../core/connector.ts'
import { type Schema, toJsonSchema } from '../../core/schema.ts'
import type { Tool } from '../../core/tool.ts'
import { compileJsonSchema } from '../../execution/json-schema-validator.ts'
import { describeConnector } from '../../testing/describe-connector.ts'
import { email } from './email.ts'
import { failure, letter, type MailServer, openMail, send, startMailServer } from './mail-server.fixture.ts'

const from = 'weir@example.com'

describe('promises', () => {
  let server: MailServer
  let slow: MailServer
  beforeAll(async () => {
    server = await startMailServer()
    slow = await startMailServer({ onMailFrom: () => {} })
  })
  afterAll(() => Promise.all([server.close(), slow.close()]))
  const at = (port: number, more: object = {}) => ({ url: `smtp://localhost:${port}`, from, ...more })

  describeConnector(email, {
    config: () => at(server.port),
    deadConfig: () => ({ url: 'smtp://ada:canary-7@127.0.0.1:1', from }),
    secret: 'canary-7',
    badConfigs: [
      { config: { from }, field: 'host' },
      { config: { url: 'smtp://localhost' }, field: 'from' },
      { config: at(25, { from: 'weir@example.com\r\nBcc: eve@example.com' }), field: 'from' },
      { config: at(25, { from: 'a@b.c, eve@example.com' }), field: 'from' },
      { config: { url: 'http://ada:canary-7@mail', from }, field: 'url' },
      { config: { url: 'smtp://ada:canary-7@mail?tls=no', from }, field: 'url' },
      { config: { url: 'smtp://ada:canary-7@mail', user: 'bob', password: 'canary-7', from }, field: 'user' },
      { config: { url: 'smtp://mail', port: 25, from }, field: 'port' },
      { config: { host: 'mail', user: 'ada', from }, field: 'password' },
      { config: { host: 'mail', password: 'canary-7', from }, field: 'user' },
      { config: { host: 'mail\r\nEHLO', from }, field: 'host' },
      { config: { host: 'mail', tls: 'none', user: 'ada', password: 'canary-7', from }, field: 'tls' },
      { config: { url: 'smtps://mail', tls: 'starttls', from }, field: 'tls' },
      { config: at(25, { ca: 'canary-7' }), field: 'ca' },
      { config: at(25, { recipientDomains: [] }), field: 'recipientDomains' },
      { config: at(25, { connections: 0 }), field: 'connections' },
      { config: at(25, { form: from }), field: 'form' },
    ],
  })

  describe('while its server is slow', () => {
    describeConnector(email, {
      config: () => ({ ...at(slow.port), answerTimeoutMs: 60_000 }),
      slowCall: { tool: 'send_email', input: letter },
      badConfigs: [],
    })
  })
})

let server: MailServer
let connection: Connection
beforeEach(async () => {
  server = await startMailServer()
  connection = await openMail(server.port)
})
afterEach(async () => {
  await connection.close()
  await server.close()
})

describe('send_email', () => {
  it('D4-011, D4-025: delivers to everybody, and answers with the id that the message has', async () => {
    const body = '<h1>Grüße</h1><p>Your <a href="https://example.com/o/1">order</a> is on its way.</p>'
    const answer = await send(connection, {
      to: ['ada@example.com', 'bob@example.com'],
      cc: ['carol@example.org'],
      subject: 'Bestellung № 1 – unterwegs',
      body,
    })
    expect(answer).toEqual({
      message_id: expect.stringMatching(/^<[\w-]{36}@example\.com>$/),
      status: 'sent',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      recipients_count: 3,
    })
    const [{ parsed, ...envelope }] = server.arrived as [MailServer['arrived'][number]]
    expect([envelope.from, envelope.to]).toEqual([
      from,
      ['ada@example.com', 'bob@example.com', 'carol@example.org'],
    ])
    expect(parsed).toMatchObject({
      messageId: answer['message_id'],
      subject: 'Bestellung № 1 – unterwegs',
      from: { name: 'Weir', address: from },
      to: [{ address: 'ada@example.com' }, { address: 'bob@example.com' }],
      cc: [{ address: 'carol@example.org' }],
    })
    expect(parsed.html?.trim()).toBe(body)
    expect(parsed.text?.trim()).toBe('Grüße\n\nYour order (https://example.com/o/1) is on its way.')
    const seconds = (text: unknown) => Math.floor(Date.parse(String(text)) / 1000)
    expect(seconds(parsed.date)).toBe(seconds(answer['timestamp']))
  })

  it('D4-010, D4-011: has exactly the parameters of the document, and declares its policies', () => {
    const [tool] = connection.targets() as readonly Tool[]
    expect(tool).toMatchObject({
      name: 'send_email',
      effect: 'write',
      category: 'email',
      confirm: true,
      rateLimit: '10/hour',
    })
    const { properties, required } = toJsonSchema(tool!.input) as Record<string, object>
    expect(Object.keys(properties ?? {})).toEqual(['to', 'subject', 'body', 'cc'])
    expect(required).toEqual(['to', 'subject', 'body'])
    expect(properties).toMatchObject({
      to: { type: 'array', items: { type: 'string', format: 'email' } },
      cc: { default: [] },
    })
    const output = toJsonSchema(tool?.output as Schema)
    expect(output['properties']).toMatchObject({ timestamp: { format: 'date-time' } })
  })

  it('D4-025: without any recipient says so in the words of the document, and connects to nothing', async () => {
    const error = await failure(send(connection, { ...letter, to: [] }))
    expect([error.code, error.message]).toEqual(['INVALID_INPUT', 'No recipients specified'])
    expect(server.connections).toBe(0)
  })

  it('goes to nobody twice, and counts people', async () => {
    const to = ['ada@example.com', 'ada@EXAMPLE.com', 'bob@example.com']
    const answer = await send(connection, { ...letter, to, cc: ['bob@example.com', 'carol@example.com'] })
    expect(answer['recipients_count']).toBe(3)
    expect(server.arrived[0]!.to).toEqual(['ada@example.com', 'bob@example.com', 'carol@example.com'])
  })

  it('goes to recipients of `cc` alone too', async () => {
    expect(await send(connection, { ...letter, to: [], cc: ['ada@example.com'] })).toMatchObject({
      recipients_count: 1,
    })
  })

  it('names each address that is wrong', async () => {
    const cc = ['ok@example.com', 'a b@example.com', 'x'.repeat(300)]
    const error = await failure(send(connection, { ...letter, to: ['ada', 'ada@example.com'], cc }))
    expect(error.code).toBe('INVALID_INPUT')
    expect(error.message).toContain('"ada", "a b@example.com", "xxx')
    expect(error.message).not.toContain('ok@example.com')
    expect(server.connections).toBe(0)
  })

  it('takes 50 recipients, and no more', async () => {
    const many = Array.from({ length: 51 }, (_, index) => `p${index}@example.com`)
    const error = await failure(send(connection, { ...letter, to: many.slice(0, 30), cc: many.slice(30) }))
    expect([error.code, error.data]).toEqual([
      'INVALID_INPUT',
      { recipients: 51, recipientsMax: 50, sent: false },
    ])
    const most = { ...letter, to: many.slice(0, 30), cc: many.slice(30, 50) }
    expect((await send(connection, most))['recipients_count']).toBe(50)
    expect(server.arrived).toHaveLength(1)
  })

  it('takes a body of 1 MiB, counted in bytes, and no more', async () => {
    const most = 'ü'.repeat(512 * 1024)
    await send(connection, { ...letter, body: most })
    expect(server.arrived[0]!.parsed.html?.trim()).toHaveLength(512 * 1024)
    const error = await failure(send(connection, { ...letter, body: `${most}x` }))
    expect([error.code, error.data?.['bytes']]).toEqual(['INVALID_INPUT', 1024 * 1024 + 1])
    expect(server.arrived).toHaveLength(1)
  })

  it('sends to the domains that are allowed, whatever their case, and names each other address', async () => {
    const narrow = await openMail(server.port, { recipientDomains: ['Example.com', '*.example.org'] })
    await send(narrow, { ...letter, to: ['ada@EXAMPLE.com', 'bob@mail.example.org'] })
    const to = ['ada@example.com', 'eve@evil.example', 'eve@example.com.evil.example', 'eve@example.org']
    const error = await failure(send(narrow, { ...letter, to }))
    expect(error).toMatchObject({ code: 'RECIPIENT_NOT_ALLOWED', data: { recipients: to.slice(1) } })
    await narrow.close()
    expect(server.arrived).toHaveLength(1)
  })
})

describe('D4-011: header injection', () => {
  const isRefused = (input: object) => {
    const [tool] = connection.targets() as readonly Tool[]
    return compileJsonSchema(toJsonSchema(tool!.input))({ ...letter, ...input }).length > 0
  }

  it.each([
    ['subject', { subject: 'Hi\r\nBcc: eve@evil.example' }],
    ['subject', { subject: 'Hi\nBcc: eve@evil.example' }],
    ['subject', { subject: 'Hi\rX-Evil: 1' }],
    ['subject', { subject: 'Hi\u0000' }],
    ['subject', { subject: 'Hi\u0085X-Evil: 1' }],
    ['to', { to: ['ada@example.com\r\nRCPT TO:<eve@evil.example>'] }],
    ['to', { to: ['ada@example.com\n'] }],
    ['to', { to: ['ada@example.com, eve@evil.example'] }],
    ['to', { to: ['<ada@example.com> eve@evil.example'] }],
    ['to', { to: ['"eve@evil.example "@example.com'] }],
    ['to', { to: ['ada@example.com\u0000'] }],
    ['cc', { cc: ['ada@example.com> NOTIFY=SUCCESS'] }],
  ])('%s cannot carry %j, neither past the schema nor without it', async (_field, input) => {
    expect(isRefused(input)).toBe(true)
    expect((await failure(send(connection, { ...letter, ...input }))).code).toBe('INVALID_INPUT')
    expect(server.arrived).toEqual([])
  })

  it('a subject is no encoded word, which readers would show as something else', async () => {
    const subject = 'Hi =?utf-8?Q?=0D=0ABcc:_eve@evil.example?='
    const error = await failure(send(connection, { ...letter, subject }))
    expect([error.code, server.arrived]).toEqual(['INVALID_INPUT', []])
  })

  it('what is only unusual arrives with no header and no recipient beside those meant', async () => {
    const subject = `Bcc: eve@evil.example %0d%0aBcc: eve@evil.example =?? ${'x'.repeat(400)}`
    const body = '<p>.\r\n.\r\nMAIL FROM:&lt;eve@evil.example&gt;\r\n\r\nX-Evil: 1</p>\n.\n'
    expect(isRefused({ subject, body })).toBe(false)
    await send(connection, { ...letter, subject, body })
    await send(connection)
    const [first] = server.arrived as [MailServer['arrived'][number]]
    expect(server.arrived).toHaveLength(2)
    expect(first.to).toEqual(['ada@example.com'])
    expect(first.parsed.subject).toBe(subject)
    const names = first.parsed.headers.map(({ key }) => key).sort()
    expect(names).toEqual(
      ['content-type', 'date', 'from', 'message-id', 'mime-version', 'subject', 'to'].sort(),
    )
    expect(first.parsed.html?.replace(/\r?\n/g, '\n').trim()).toBe(body.replace(/\r?\n/g, '\n').trim())
  })
})
