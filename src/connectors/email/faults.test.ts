import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { SMTPServerOptions } from 'smtp-server'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import type { Connection } from '../../core/connector.ts'
import { failure, letter, type MailServer, openMail, send, startMailServer } from './mail-server.fixture.ts'

const opened: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close()
})

async function serve(options?: SMTPServerOptions, port?: number): Promise<MailServer> {
  const server = await startMailServer(options, port)
  opened.push(server)
  return server
}

async function open(port: number, config?: Record<string, unknown>): Promise<Connection> {
  const connection = await openMail(port, config)
  opened.push(connection)
  return connection
}

const signal = new AbortController().signal
const refusal = (code: number, text: string) => Object.assign(new Error(text), { responseCode: code })

/** A server whose every line is written here. `hear` gets each line of the client, in DATA too. */
async function scripted(hear: (line: string, socket: Socket) => void) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    let rest = ''
    socket.write('220 scripted\r\n')
    socket.on('data', (chunk) => {
      const lines = (rest + chunk.toString()).split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) hear(line, socket)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  opened.push({
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  })
  return { port: (server.address() as AddressInfo).port }
}

/** Answers like a server up to the point where `at` says what to do instead. */
const until =
  (at: RegExp, instead: (socket: Socket) => void) =>
  (line: string, socket: Socket): void => {
    if (at.test(line)) instead(socket)
    else if (/^(EHLO|MAIL|RCPT|RSET|NOOP)/.test(line)) socket.write('250 fine\r\n')
    else if (line === 'DATA') socket.write('354 go on\r\n')
    else if (line === 'QUIT') socket.end('221 bye\r\n')
  }

describe('what the server refuses', () => {
  const rcpt: Partial<SMTPServerOptions> = {
    onRcptTo({ address }, _session, done) {
      if (address.startsWith('gone')) done(refusal(550, '5.1.1 no such mailbox'))
      else if (address.startsWith('full')) done(refusal(452, '4.2.2 mailbox full'))
      else done()
    },
  }

  it('some recipients: the others get it, and each refused one is told with the reason', async () => {
    const server = await serve(rcpt)
    const connection = await open(server.port)
    const to = ['ada@example.com', 'gone@example.com', 'full@example.com']
    expect(await send(connection, { ...letter, to })).toMatchObject({
      status: 'partially_sent',
      recipients_count: 1,
      rejected: [
        { address: 'gone@example.com', reason: '550 5.1.1 no such mailbox' },
        { address: 'full@example.com', reason: '452 4.2.2 mailbox full' },
      ],
    })
    expect(server.arrived.map(({ to: reached }) => reached)).toEqual([['ada@example.com']])
  })

  it.each([
    ['all recipients for good', rcpt, 'gone@example.com', 'MAIL_REFUSED', 550],
    ['all recipients for now', rcpt, 'full@example.com', 'MAIL_DEFERRED', 452],
    [
      'the sender',
      { onMailFrom: (_a, _s, done) => done(refusal(553, 'not yours')) },
      'a@x.example',
      'MAIL_REFUSED',
      553,
    ],
    [
      'the message',
      { onData: (stream, _s, done) => stream.resume().on('end', () => done(refusal(554, 'spam'))) },
      'a@x.example',
      'MAIL_REFUSED',
      554,
    ],
    [
      'the message for now',
      { onData: (stream, _s, done) => stream.resume().on('end', () => done(refusal(451, 'later'))) },
      'a@x.example',
      'MAIL_DEFERRED',
      451,
    ],
  ] satisfies [
    string,
    Partial<SMTPServerOptions>,
    string,
    string,
    number,
  ][])('%s', async (_what, options, to, code, status) => {
    const server = await serve(options)
    const connection = await open(server.port, { connections: 1 })
    const error = await failure(send(connection, { ...letter, to: [to] }))
    expect(error).toMatchObject({ code, data: { smtp_code: status, sent: false } })
    expect(error.spec.retryable).toBe(code === 'MAIL_DEFERRED')
    expect(server.arrived).toEqual([])
    // The connection is kept for the next message.
    await failure(send(connection, { ...letter, to: [to] }))
    expect(server.connections).toBe(1)
  })

  it('S16: the login, in an error without the password, however the server repeats it', async () => {
    const password = 'canary-password'
    const inBase64 = Buffer.from(`\0ada\0${password}`).toString('base64')
    const server = await serve({
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      authOptional: false,
      onAuth: (_auth, _session, done) => done(refusal(535, `no: ${password} ${inBase64}`)),
      onMailFrom: (_address, _session, done) => done(refusal(553, `${password} ${inBase64}`)),
    })
    const connection = await open(server.port, { user: 'ada', password })
    const errors = [await failure(send(connection)), await failure(connection.check(signal))]
    expect(errors.map(({ code }) => code)).toEqual(['UPSTREAM_AUTH', 'UPSTREAM_AUTH'])
    const lax = await serve({
      onMailFrom: (_a, _s, done) => done(refusal(553, `${password} ${inBase64}`)),
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      onAuth: (_a, _s, done) => done(null, { user: 1 }),
    })
    const refused = await failure(send(await open(lax.port, { user: 'ada', password })))
    expect(refused).toMatchObject({ code: 'MAIL_REFUSED', message: expect.stringContaining('[redacted]') })
    for (const { message, data } of [...errors, refused]) {
      expect(JSON.stringify({ message, data })).not.toContain(password)
      expect(JSON.stringify({ message, data })).not.toContain(inBase64)
    }
  })
})

describe('R2, R3: what is known of a message that broke off', () => {
  it('nothing answered after all of it was sent: OUTCOME_UNKNOWN, with the id it can be found by', async () => {
    const { port } = await scripted(until(/^\.$/, (socket) => socket.destroy()))
    const error = await failure(send(await open(port)))
    expect(error).toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      data: { message_id: expect.stringMatching(/^<.+@example\.com>$/), sent: true },
    })
    expect(error.spec.retryable).toBe(false)
  })

  it.each([
    ['silence', (_socket: Socket) => {}],
    ['no answer of SMTP', (socket: Socket) => void socket.write('hello?\r\n')],
    ['half an answer', (socket: Socket) => void socket.end('250')],
  ])('%s after all of it was sent: OUTCOME_UNKNOWN', async (_what, instead) => {
    const { port } = await scripted(until(/^\.$/, instead))
    const error = await failure(send(await open(port, { answerTimeoutMs: 300 })))
    expect(error.code).toBe('OUTCOME_UNKNOWN')
  })

  it('an answer that would come after the deadline: OUTCOME_UNKNOWN, before the call is over', async () => {
    const { port } = await scripted(until(/^\.$/, () => {}))
    const deadlineMs = systemClock.monotonicMs() + 1_000
    const error = await failure(send(await open(port), letter, { deadlineMs }))
    expect(error.code).toBe('OUTCOME_UNKNOWN')
    expect(systemClock.monotonicMs()).toBeLessThan(deadlineMs + 500)
  })

  it.each([
    ['EHLO', /^EHLO/],
    ['MAIL FROM', /^MAIL/],
    ['RCPT TO', /^RCPT/],
    ['DATA', /^DATA/],
    ['the middle of the message', /^Subject/],
  ])('a connection that breaks at %s: it was provably not sent', async (_what, at) => {
    const { port } = await scripted(until(at, (socket) => socket.resetAndDestroy()))
    const body = 'x'.repeat(900 * 1024)
    const error = await failure(send(await open(port), { ...letter, body }))
    expect(error).toMatchObject({ code: 'UPSTREAM_UNREACHABLE', data: { sent: false } })
  })

  it('a server that greets and then is silent: in time, and provably not sent', async () => {
    const { port } = await scripted(until(/^EHLO/, () => {}))
    const connection = await open(port, { answerTimeoutMs: 200, connectTimeoutMs: 5_000 })
    for (const attempt of [() => connection.check(signal), () => send(connection)])
      expect(await failure(attempt())).toMatchObject({ code: 'UPSTREAM_TIMEOUT', data: { sent: false } })
  })
})
