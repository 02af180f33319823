import { setTimeout as wait } from 'node:timers/promises'
import type { SMTPServerOptions } from 'smtp-server'
import { afterEach, describe, expect, it } from 'vitest'
import type { Connection } from '../../core/connector.ts'
import { WeirError } from '../../core/error.ts'
import {
  failure,
  letter,
  type MailServer,
  makeCertificate,
  openMail,
  send,
  startMailServer,
} from './mail-server.fixture.ts'

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

/** Polls, because the server learns of things in its own time. */
async function eventually(isSo: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 500 && !isSo(); attempt += 1) await wait(10)
  expect(isSo()).toBe(true)
}

/** A server that takes a message and answers when it is told to. */
async function holding(options: SMTPServerOptions = {}) {
  const held: (() => void)[] = []
  const server = await serve({
    onData: (stream, _session, done) => {
      stream.resume().on('end', () => held.push(() => done(null)))
    },
    ...options,
  })
  return { server, held }
}

describe('TLS', () => {
  const certificate = makeCertificate()
  const login: SMTPServerOptions = {
    authOptional: false,
    disabledCommands: [],
    onAuth: ({ username, password }, _session, done) =>
      username === 'ada' && password === 's/cret' ? done(null, { user: 1 }) : done(new Error('no')),
  }
  const url = (scheme: string, port: number) => `${scheme}://ada:s%2Fcret@localhost:${port}`

  it('implicit: logs in and sends over it, the certificate checked', async () => {
    const server = await serve({ ...certificate, ...login, secure: true })
    const connection = await open(server.port, { url: url('smtps', server.port), ca: certificate.cert })
    await connection.check(signal)
    expect((await send(connection))['status']).toBe('sent')
    expect(server.arrived).toHaveLength(1)
  })

  it('starttls: upgrades before it logs in and sends', async () => {
    const server = await serve({ ...certificate, ...login })
    const config = { url: url('smtp', server.port), tls: 'starttls', ca: certificate.cert }
    const connection = await open(server.port, config)
    await connection.check(signal)
    await send(connection)
    expect(server.arrived).toHaveLength(1)
  })

  it.each([
    ['implicit', 'smtps', { secure: true }],
    ['starttls', 'smtp', {}],
  ])('%s: sends nothing to a server whose certificate nobody vouches for', async (tls, scheme, options) => {
    const server = await serve({ ...certificate, ...login, ...options })
    const strangers = [{}, { ca: makeCertificate().cert }]
    for (const more of strangers) {
      const connection = await open(server.port, { url: url(scheme, server.port), tls, ...more })
      const errors = [await failure(connection.check(signal)), await failure(send(connection))]
      for (const error of errors)
        expect(error).toMatchObject({ code: 'UPSTREAM_UNREACHABLE', hint: expect.stringContaining('`ca`') })
    }
    const other = url(scheme, server.port).replace('localhost', '127.0.0.1')
    const connection = await open(server.port, { url: other, tls, ca: certificate.cert })
    expect((await failure(send(connection))).code).toBe('UPSTREAM_UNREACHABLE')
    expect(server.arrived).toEqual([])
  })

  it('starttls: sends neither login nor message to a server that offers no TLS', async () => {
    const heard: string[] = []
    const server = await serve({
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      onAuth: ({ username = '' }, _session, done) => {
        heard.push(username)
        done(null, { user: 1 })
      },
    })
    const connection = await open(server.port, { url: url('smtp', server.port), tls: 'starttls' })
    const error = await failure(send(connection))
    expect(error).toMatchObject({ code: 'UPSTREAM_UNREACHABLE', message: expect.stringContaining('ETLS') })
    await failure(connection.check(signal))
    expect([heard, server.arrived]).toEqual([[], []])
  })
})

describe('a server that comes and goes', () => {
  it('is down when the connection opens: a clear error, and mail once it is up', async () => {
    const first = await serve()
    await first.close()
    const connection = await open(first.port)
    for (const attempt of [() => send(connection), () => connection.check(signal)]) {
      const error = await failure(attempt())
      expect(error).toMatchObject({ code: 'UPSTREAM_UNREACHABLE', data: { sent: false } })
      expect(error.message).toContain(`127.0.0.1:${first.port}`)
      expect(error.spec.retryable).toBe(true)
    }
    const second = await serve({}, first.port)
    await connection.check(signal)
    expect((await send(connection))['status']).toBe('sent')
    expect(second.arrived).toHaveLength(1)
  })

  it('restarts behind a kept connection: the next message goes over a new one, once', async () => {
    const first = await serve()
    const connection = await open(first.port)
    await send(connection)
    await first.close()
    const second = await serve({}, first.port)
    await send(connection)
    expect([first.arrived.length, second.arrived.length]).toEqual([1, 1])
  })
})

describe('bounds', () => {
  it('keeps to its connections, and uses them again', async () => {
    const server = await serve()
    const connection = await open(server.port, { connections: 2 })
    await Promise.all(Array.from({ length: 12 }, () => send(connection)))
    expect(server.arrived).toHaveLength(12)
    expect(new Set(server.arrived.map(({ parsed }) => parsed.messageId)).size).toBe(12)
    expect(server.connections).toBeLessThanOrEqual(2)
  })

  it('lets 100 messages wait, refuses the next at once, and sends all that waited', async () => {
    const { server, held } = await holding()
    const connection = await open(server.port, { connections: 1, answerTimeoutMs: 60_000 })
    const sent = Array.from({ length: 101 }, () => send(connection))
    await eventually(() => held.length === 1)
    expect(await failure(send(connection))).toMatchObject({ code: 'OVERLOADED', data: { sent: false } })
    const letAllGo = setInterval(() => held.shift()?.(), 1)
    const answers = await Promise.all(sent)
    clearInterval(letAllGo)
    expect(answers.every(({ status }) => status === 'sent')).toBe(true)
  })

  it('a call whose time is over while it waits was not sent, and never is', async () => {
    const { server, held } = await holding()
    const connection = await open(server.port, { connections: 1, answerTimeoutMs: 60_000 })
    const first = send(connection)
    await eventually(() => held.length === 1)
    const error = await failure(send(connection, letter, { deadlineMs: performance.now() + 300 }))
    expect(error).toMatchObject({ code: 'UPSTREAM_TIMEOUT', data: { sent: false } })
    held.shift()?.()
    await first
    await send(connection, { ...letter, to: [] }).catch(() => {})
    await wait(200)
    expect(held).toEqual([])
  })
})

describe('an abort', () => {
  const reason = new WeirError('CANCELLED', 'The caller left.')

  it('while the server thinks ends the call with its reason, and the socket', async () => {
    const { server, held } = await holding()
    const connection = await open(server.port)
    const controller = new AbortController()
    const failed = failure(send(connection, letter, { signal: controller.signal }))
    await eventually(() => held.length === 1)
    controller.abort(reason)
    expect(await failed).toBe(reason)
    await eventually(() => server.sockets.size === 0)
  })

  it('while it waits takes the message out, and lets the others go on', async () => {
    const { server, held } = await holding()
    const connection = await open(server.port, { connections: 1 })
    const first = send(connection)
    await eventually(() => held.length === 1)
    const controller = new AbortController()
    const failed = failure(send(connection, letter, { signal: controller.signal }))
    const third = send(connection)
    controller.abort(reason)
    expect(await failed).toBe(reason)
    held.shift()?.()
    await first
    await eventually(() => held.length === 1)
    held.shift()?.()
    await third
    expect(server.connections).toBe(1)
  })

  it('before it begins opens no connection', async () => {
    const server = await serve()
    const connection = await open(server.port)
    expect(await failure(send(connection, letter, { signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect(server.connections).toBe(0)
  })
})

describe('close', () => {
  it('twice, with messages under way and waiting: says of each what is known, and leaves no socket', async () => {
    const { server, held } = await holding()
    const connection = await open(server.port, { connections: 1 })
    const [sent, waiting] = [failure(send(connection)), failure(send(connection))]
    await eventually(() => held.length === 1)
    await Promise.all([connection.close(), connection.close()])
    expect((await sent).code).toBe('OUTCOME_UNKNOWN')
    expect(await waiting).toMatchObject({ code: 'CONNECTION_UNAVAILABLE', data: { sent: false } })
    await eventually(() => server.sockets.size === 0)
    expect((await failure(send(connection))).code).toBe('CONNECTION_UNAVAILABLE')
    expect((await failure(connection.check(signal))).code).toBe('CONNECTION_UNAVAILABLE')
  })

  it('while it is checked ends the check', async () => {
    const server = await serve({ onConnect: () => {} })
    const connection = await open(server.port)
    const failed = failure(connection.check(signal))
    await eventually(() => server.sockets.size === 1)
    await connection.close()
    expect((await failed).code).toBe('CONNECTION_UNAVAILABLE')
    await eventually(() => server.sockets.size === 0)
  })
})
