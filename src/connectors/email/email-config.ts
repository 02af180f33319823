import { isIP } from 'node:net'
import { z } from 'zod'
import { classifyAddress } from '../../egress/classify-address.ts'
import { parseMailbox } from './mail-address.ts'

/** How a connection to the server is protected. */
const tlsModes = ['implicit', 'starttls', 'none'] as const
type TlsMode = (typeof tlsModes)[number]

const defaultPorts: Readonly<Record<TlsMode, number>> = { implicit: 465, starttls: 587, none: 25 }

/** Without control characters, which would end a command of SMTP. */
const plainText = z.string().regex(/^\P{Cc}*$/u, 'holds a control character')
const host = plainText.regex(/^[A-Za-z0-9.:-]{1,253}$/, 'is not a host name or an address')
const domainGlob = z.string().regex(/^[A-Za-z0-9.*-]{1,253}$/, 'is not a domain such as `example.com`')

const smtpUrl = z.url({ protocol: /^smtps?$/ }).refine((text) => {
  const url = URL.parse(text)
  return url !== null && url.hostname !== '' && /^\/?$/.test(url.pathname) && url.search + url.hash === ''
}, 'must hold a host, and neither a path nor a query nor a fragment')

const fields = z.strictObject({
  url: smtpUrl
    .optional()
    .describe(
      'The server as `smtps://user:password@host:port` (TLS from the first byte) or `smtp://…`, with user and password percent-encoded. Give this or `host`.',
    ),
  host: host.optional().describe('The server’s name or address, where there is no `url`.'),
  port: z
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe('Its port. Default: 465, 587 or 25 for `tls` implicit, starttls or none.'),
  user: plainText.min(1).optional().describe('User name; with it goes `password`.'),
  password: plainText.min(1).optional().describe('Password. Take it from the environment or a file.'),
  tls: z
    .enum(tlsModes)
    .optional()
    .describe(
      '`implicit`: TLS from the first byte. `starttls`: the connection is upgraded, or nothing is sent. `none`: readable by everybody on the way. Default: implicit for `smtps:` and port 465, none for a server on this machine, else starttls.',
    ),
  ca: z
    .string()
    .includes('-----BEGIN CERTIFICATE-----', { message: 'is not a certificate in PEM' })
    .optional()
    .describe(
      'Certificates in PEM that the server’s is checked against in place of the public authorities: `"${file:./ca.pem}"`.',
    ),
  from: z
    .string()
    .refine((text) => parseMailbox(text) !== undefined, 'must be `a@example.com` or `Name <a@example.com>`')
    .describe(
      'The sender of every message: `a@example.com` or `Name <a@example.com>`. Callers cannot change it.',
    ),
  recipientDomains: z
    .array(domainGlob)
    .min(1)
    .max(1000)
    .optional()
    .describe(
      'The only domains that mail may go to; `*` stands for any characters, so `*.example.com` is every domain below it. Default: all.',
    ),
  connections: z.int().min(1).max(20).default(2).describe('How many messages may be on their way at once.'),
  connectTimeoutMs: z
    .int()
    .min(50)
    .max(120_000)
    .default(10_000)
    .describe('How long connecting may take, from the name’s look-up to the end of TLS, in milliseconds.'),
  answerTimeoutMs: z
    .int()
    .min(50)
    .max(600_000)
    .default(20_000)
    .describe('How long the server may be silent, in milliseconds. Some scan a message before they answer.'),
})

type Fields = z.output<typeof fields>

/** The config of one `email` connection. */
export const emailConfig = fields.superRefine((config, context) => {
  const fault = (field: keyof Fields, message: string) =>
    context.addIssue({ code: 'custom', path: [field], message })
  const { url, user, password, tls, ca } = config
  if (url === undefined && config.host === undefined)
    return fault('host', 'is required where there is no `url`')
  if (url !== undefined && (config.host !== undefined || config.port !== undefined))
    return fault(config.host === undefined ? 'port' : 'host', 'stands in `url` already')
  const server = settleServer(config)
  const inUrl = url === undefined ? null : URL.parse(url)
  if (inUrl !== null && inUrl.username !== '' && (user ?? password) !== undefined)
    fault(user === undefined ? 'password' : 'user', 'stands in `url` already')
  else if ((server.user === undefined) !== (server.password === undefined))
    fault(server.user === undefined ? 'user' : 'password', 'is required: user and password go together')
  if (inUrl?.protocol === 'smtps:' && tls !== undefined && tls !== 'implicit')
    fault('tls', 'contradicts `smtps:`')
  if (server.tls !== 'none') return
  if (ca !== undefined) fault('ca', 'is of no use without TLS; set `tls`')
  if (server.password !== undefined && !isThisMachine(server.host))
    fault('tls', 'must not be `none` where a password goes over a network')
})

/** What `emailConfig` gives. */
export type EmailConfig = Fields

/** The server, however it was written. */
export interface Server {
  readonly host: string
  readonly port: number
  readonly tls: TlsMode
  readonly user: string | undefined
  readonly password: string | undefined
}

/** Reads `url`, or the fields that stand for it, and fills in what follows from them. */
export function settleServer(config: EmailConfig): Server {
  const url = config.url === undefined ? undefined : new URL(config.url)
  const host = (url?.hostname ?? config.host ?? '').replace(/^\[(.*)\]$/, '$1')
  const port = url === undefined ? config.port : Number(url.port) || undefined
  const tls = config.tls ?? defaultMode(host, port, url?.protocol)
  return {
    host,
    port: port ?? defaultPorts[tls],
    tls,
    user: url?.username ? decode(url.username) : config.user,
    password: url?.password ? decode(url.password) : config.password,
  }
}

function defaultMode(host: string, port: number | undefined, protocol: string | undefined): TlsMode {
  if (protocol === 'smtps:' || port === 465) return 'implicit'
  return isThisMachine(host) ? 'none' : 'starttls'
}

function isThisMachine(host: string): boolean {
  if (isIP(host) === 0) return host.toLowerCase() === 'localhost'
  return classifyAddress(host) === 'loopback'
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A stray percent sign stands for itself.
    return text
  }
}
