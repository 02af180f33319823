import type { NodemailerError } from 'nodemailer'
import { WeirError } from '../../core/error.ts'
import { showHidden } from '../../core/hidden-text.ts'
import type { Server } from './email-config.ts'

const wordsCharsMax = 300

/** What is known of a message when sending it failed. */
export interface Attempt {
  /** Whether all of it had gone to the server, so that only the answer was missing. */
  readonly isHandedOver: boolean
  readonly messageId: string
}

/** A server's own words, as far as they may be repeated. */
export type QuoteServer = (words: string | undefined) => string

/** Servers repeat what they were told; nothing of that may be the credential. */
export function createQuote({ user = '', password }: Server): QuoteServer {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const secrets = password === undefined ? [] : [password, base64(password), base64(`\0${user}\0${password}`)]
  return (words = '') => {
    let text = showHidden(words.replace(/\s+/g, ' ').trim())
    for (const secret of secrets) text = text.replaceAll(secret, '[redacted]')
    return text.length <= wordsCharsMax ? text : `${text.slice(0, wordsCharsMax - 1)}…`
  }
}

/** Turns what nodemailer, TLS or DNS reported into the error a caller sees; the original goes along as the cause. */
export function explainMailError(
  thrown: unknown,
  { host, port }: Server,
  quote: QuoteServer,
  attempt?: Attempt,
): WeirError {
  if (thrown instanceof WeirError) return thrown
  const error = thrown as NodemailerError & { readonly originalCode?: string }
  const { code = '', responseCode = 0, originalCode } = error
  const at = `${host}:${port}`
  const isAnswered = answeredCodes.has(code) && responseCode >= 400 && responseCode < 600
  if (attempt?.isHandedOver === true && !isAnswered) return outcomeUnknown(at, attempt.messageId, error)
  const fail = (weirCode: ConstructorParameters<typeof WeirError>[0], message: string, hint?: string) =>
    new WeirError(weirCode, message, {
      ...(hint === undefined ? {} : { hint }),
      data: { server: at, ...(responseCode === 0 ? {} : { smtp_code: responseCode }), sent: false },
      cause: error,
    })
  const words = quote(error.response)
  if (code === 'EAUTH' || code === 'ENOAUTH' || responseCode === 530)
    return fail('UPSTREAM_AUTH', `The mail server ${at} did not accept the login.`, authHint)
  if (isAnswered) {
    const [what, hint] =
      responseCode < 500 ? ['for now', 'Try again later.'] : ['', 'Change what it objects to.']
    const message = `The mail server ${at} refuses the message${what === '' ? '' : ` ${what}`}: ${words}`
    return fail(responseCode < 500 ? 'MAIL_DEFERRED' : 'MAIL_REFUSED', message, hint)
  }
  if (code === 'EMESSAGE')
    return fail('MAIL_REFUSED', `The mail server ${at} takes no message as large as this.`)
  if (code === 'ETIMEDOUT') return fail('UPSTREAM_TIMEOUT', `The mail server ${at} did not answer in time.`)
  const why = originalCode ?? code
  if (code === 'ETLS' || certificateCodes.test(why))
    return fail(
      'UPSTREAM_UNREACHABLE',
      `No safe connection to the mail server ${at} could be made (${why}).`,
      tlsHint,
    )
  return fail(
    'UPSTREAM_UNREACHABLE',
    `No connection to the mail server ${at} could be made or kept (${why}).`,
  )
}

/** What nodemailer calls a refusal that the server itself spoke. */
const answeredCodes: ReadonlySet<string> = new Set(['EENVELOPE', 'EMESSAGE', 'EPROTOCOL', 'ECONNECTION'])
const certificateCodes = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME|SSL|TLS/
const authHint = 'Ask the operator to check `user` and `password` of this connection.'
const tlsHint = 'Ask the operator to check `tls` and `ca` of this connection, and the server’s certificate.'

/** The message may lie in mailboxes, or nowhere. */
function outcomeUnknown(at: string, messageId: string, cause?: unknown): WeirError {
  const message = `The mail server ${at} was given the whole message and did not say whether it took it.`
  return new WeirError('OUTCOME_UNKNOWN', message, {
    hint: 'Find out whether it arrived before you send it again; its message id tells it from others.',
    data: { message_id: messageId, sent: true },
    cause,
  })
}
