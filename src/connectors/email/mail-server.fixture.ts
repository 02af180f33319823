import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { expect } from 'vitest'
import type { Connection } from '../../core/connector.ts'
import type { WeirError } from '../../core/error.ts'
import { silentLogger } from '../../core/logger.ts'
import type { Result } from '../../core/outcome.ts'
import type { RunContext, Tool } from '../../core/tool.ts'
import { email } from './email.ts'

/** A message as it arrived. */
export interface Arrived {
  /** The envelope: who the server was told it is from and for. */
  readonly from: string
  readonly to: readonly string[]
  readonly raw: string
  readonly parsed: Email
}

/** A real SMTP server that keeps what it takes. */
export interface MailServer {
  readonly port: number
  readonly arrived: Arrived[]
  /** Sockets open now, and how many there were in all. */
  readonly sockets: Set<Socket>
  connections: number
  close(): Promise<void>
}

/** Listens on loopback, at `port` or wherever there is room. Takes everything unless `options` say otherwise. */
export async function startMailServer(options: SMTPServerOptions = {}, port = 0): Promise<MailServer> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    closeTimeout: 100,
    async onData(stream, session, done) {
      const chunks: Buffer[] = []
      for await (const chunk of stream) chunks.push(chunk as Buffer)
      const raw = Buffer.concat(chunks)
      const { mailFrom, rcptTo } = session.envelope
      const from = mailFrom === false ? '' : mailFrom.address
      const to = rcptTo.map(({ address }) => address)
      real.arrived.push({ from, to, raw: raw.toString(), parsed: await PostalMime.parse(raw) })
      done(null, 'taken')
    },
    ...options,
  })
  // Clients that refuse a certificate, or are cut off, are what the tests want.
  server.on('error', () => {})
  server.listen(port, '127.0.0.1')
  await once(server.server, 'listening')
  const sockets = new Set<Socket>()
  server.server.on('connection', (socket: Socket) => {
    real.connections += 1
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  const real: MailServer = {
    port: (server.server.address() as AddressInfo).port,
    arrived: [],
    sockets,
    connections: 0,
    close: () =>
      new Promise((resolve) => {
        // Under a TLS socket this would take Node itself down; those are ended by the server in its own time.
        if (options.key === undefined) for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
  return real
}

/** A key and a certificate for the name `localhost` alone. */
export function makeCertificate(): { readonly key: string; readonly cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'weir-mail-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  try {
    const request =
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost'
    const files = ['-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert]
    execFileSync('openssl', [...request.split(' '), ...files], { stdio: 'ignore' })
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A connection to a server on loopback. */
export function openMail(port: number, config: Record<string, unknown> = {}): Promise<Connection> {
  const whole = { url: `smtp://127.0.0.1:${port}`, from: 'Weir <weir@example.com>', ...config }
  return email.open(email.config.parse(whole), {
    name: 'mail',
    baseDir: '/',
    log: silentLogger,
    signal: new AbortController().signal,
  })
}

/** A message that nothing is wrong with. */
export const letter = { to: ['ada@example.com'], subject: 'Hello', body: '<p>Hi</p>' }

/** What a call is made with. */
export function createContext(more: Partial<RunContext> = {}): RunContext {
  const signal = more.signal ?? new AbortController().signal
  return {
    signal,
    stop: signal,
    deadlineMs: Number.POSITIVE_INFINITY,
    caller: { subject: 'local:test', tenant: 'local' },
    wantsProgress: false,
    emit() {},
    ...more,
  }
}

/** Runs `send_email` as the executor would, all but the check of its arguments; gives its structured answer. */
export async function send(
  connection: Connection,
  input: unknown = letter,
  context: Partial<RunContext> = {},
): Promise<Record<string, unknown>> {
  const [tool] = connection.targets()
  const result = (await (tool as Tool).run(input, createContext(context))) as Result
  return result.structuredContent as Record<string, unknown>
}

/** The error of what must fail. */
export const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('It went well.'),
    (thrown: WeirError) => thrown,
  )
