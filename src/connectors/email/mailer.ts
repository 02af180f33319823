import type { Readable } from 'node:stream'
import type { SendMailOptions, SMTPPoolOptions, SMTPPoolSentMessageInfo, Transporter } from 'nodemailer'
import { type Clock, systemClock } from '../../core/clock.ts'
import { WeirError } from '../../core/error.ts'
import type { RunContext } from '../../core/tool.ts'
import { checkServer } from './check-server.ts'
import { type EmailConfig, type Server, settleServer } from './email-config.ts'
import { createQuote, explainMailError, type QuoteServer } from './mail-error.ts'

/** The most messages that wait for a free connection. */
const waitingMax = 100
/** How long before its deadline a call is given up, so that it can still say how it stands. */
const marginMs = 250

/** One message, checked and with its id. */
export interface Message extends SendMailOptions {
  readonly messageId: string
}

/** What became of a message that the server took. */
export interface Delivery {
  readonly accepted: readonly string[]
  readonly rejected: readonly { readonly address: string; readonly reason: string }[]
}

/** Connects to nothing before the first message. */
export async function openMailer(config: EmailConfig, clock: Clock = systemClock): Promise<Mailer> {
  const { createTransport } = await import('nodemailer')
  const server = settleServer(config)
  const options = renderOptions(config, server)
  return new Mailer({ config, clock, server, options, pool: createTransport({ ...options, pool: true }) })
}

interface MailerParts {
  readonly config: EmailConfig
  readonly clock: Clock
  readonly server: Server
  readonly options: SMTPPoolOptions
  readonly pool: Transporter<SMTPPoolSentMessageInfo, SMTPPoolOptions>
}

/** Sends mail over a few connections that it keeps. */
export class Mailer {
  readonly #parts: MailerParts
  readonly #quote: QuoteServer
  readonly #closing = new AbortController()
  readonly #underWay = new Set<Promise<unknown>>()
  /** What each message is read from: whether the last of it has gone is known from there alone. */
  readonly #streams = new Map<string, Readable | undefined>()

  constructor(parts: MailerParts) {
    this.#parts = parts
    this.#quote = createQuote(parts.server)
    parts.pool.use('stream', ({ data, message }, done) => {
      message.processFunc((stream: Readable) => {
        this.#streams.set(String(data.messageId), stream)
        return stream
      })
      done()
    })
  }

  /** Resolves once the server took the message; rejects with what is known of it. */
  async send(
    message: Message,
    { signal, deadlineMs }: Pick<RunContext, 'signal' | 'deadlineMs'>,
  ): Promise<Delivery> {
    const { config, clock } = this.#parts
    signal.throwIfAborted()
    this.#closing.signal.throwIfAborted()
    if (this.#underWay.size >= config.connections + waitingMax) throw overloaded(config.connections)
    const late = new AbortController()
    const leftMs = deadlineMs - clock.monotonicMs()
    const timer = Number.isFinite(leftMs)
      ? clock.setTimer(() => late.abort(gaveUp), leftMs - Math.min(marginMs, leftMs / 4))
      : undefined
    const delivered = this.#deliver(message, AbortSignal.any([signal, late.signal, this.#closing.signal]))
    this.#underWay.add(delivered)
    try {
      return await delivered
    } catch (thrown) {
      // Whoever left hears why it left, whatever became of the message.
      signal.throwIfAborted()
      throw thrown
    } finally {
      timer?.cancel()
      this.#underWay.delete(delivered)
    }
  }

  async check(signal: AbortSignal): Promise<void> {
    const { options, server } = this.#parts
    const stop = AbortSignal.any([signal, this.#closing.signal])
    stop.throwIfAborted()
    try {
      await checkServer(options, stop)
    } catch (thrown) {
      stop.throwIfAborted()
      throw explainMailError(thrown, server, this.#quote)
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(closed())
    this.#parts.pool.close()
    await Promise.allSettled(this.#underWay)
  }

  async #deliver(message: Message, signal: AbortSignal): Promise<Delivery> {
    const { messageId } = message
    this.#streams.set(messageId, undefined)
    try {
      const { accepted, rejectedErrors = [] } = await this.#parts.pool.sendMail({ ...message, signal })
      const rejected = rejectedErrors.map(({ recipient = '', response }) => ({
        address: recipient,
        reason: this.#quote(response),
      }))
      return { accepted, rejected }
    } catch (thrown) {
      throw this.#explain(thrown, messageId, signal)
    } finally {
      this.#streams.delete(messageId)
    }
  }

  #explain(thrown: unknown, messageId: string, signal: AbortSignal): unknown {
    const { server } = this.#parts
    const isHandedOver = this.#streams.get(messageId)?.readableEnded === true
    if (signal.aborted && !isHandedOver) return signal.reason === gaveUp ? tooLate(server) : signal.reason
    return explainMailError(thrown, server, this.#quote, { isHandedOver, messageId })
  }
}

/** Why a message is given up that would not be answered before its deadline. */
const gaveUp = new Error('the call’s time is over')

function renderOptions(config: EmailConfig, server: Server): SMTPPoolOptions {
  const { host, port, tls, user, password } = server
  return {
    ...{ host, port },
    secure: tls === 'implicit',
    ...(tls === 'starttls' ? { requireTLS: true } : {}),
    ...(tls === 'none' ? { ignoreTLS: true } : {}),
    ...(config.ca === undefined ? {} : { tls: { ca: config.ca } }),
    ...(user === undefined ? {} : { auth: { user, pass: password }, forceAuth: true }),
    maxConnections: config.connections,
    // A kept connection that the server ended meanwhile is replaced, once; only where nothing of the message was sent.
    maxRequeues: 1,
    connectionTimeout: config.connectTimeoutMs,
    greetingTimeout: config.connectTimeoutMs,
    dnsTimeout: config.connectTimeoutMs,
    socketTimeout: config.answerTimeoutMs,
    socketCloseTimeout: 0,
    maxResponseSize: 64 * 1024,
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

function tooLate({ host, port }: Server): WeirError {
  const at = `${host}:${port}`
  return new WeirError(
    'UPSTREAM_TIMEOUT',
    `The message could not be given to the mail server ${at} in time.`,
    {
      hint: 'Try again; the server is slow, or many messages wait for it.',
      data: { server: at, sent: false },
    },
  )
}

function overloaded(connections: number): WeirError {
  return new WeirError('OVERLOADED', `${waitingMax} messages wait for the mail server already.`, {
    hint: `Try again in a moment; ${connections} are sent at a time (\`connections\`).`,
    data: { sent: false },
  })
}

function closed(): WeirError {
  return new WeirError('CONNECTION_UNAVAILABLE', 'The connection to the mail server was closed.', {
    data: { sent: false },
  })
}
