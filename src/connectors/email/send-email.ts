import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { type Clock, systemClock } from '../../core/clock.ts'
import { WeirError } from '../../core/error.ts'
import type { Tool } from '../../core/tool.ts'
import type { EmailConfig } from './email-config.ts'
import { htmlToText } from './html-to-text.ts'
import { addressCharsMax, addressPattern, domainOf, parseMailbox } from './mail-address.ts'
import type { Mailer } from './mailer.ts'
import { checkRecipients, type Recipients } from './recipients.ts'

const subjectCharsMax = 500
const bodyBytesMax = 1024 * 1024
/** A list of more is refused by the schema; which of its members count is for `checkRecipients` to say. */
const listMax = 50

const address = z.email({ pattern: addressPattern }).max(addressCharsMax)

const input = z.strictObject({
  to: z
    .array(address)
    .max(listMax)
    .describe('Email recipients, e.g. ["ada@example.com"]; with `cc` at most 50.'),
  subject: z
    .string()
    .max(subjectCharsMax)
    // A line break would begin a header of the caller’s own.
    .regex(/^\P{Cc}*$/u, 'holds a control character')
    .describe('Email subject, one line.'),
  body: z
    .string()
    .max(bodyBytesMax)
    .describe('Email body as HTML, at most 1 MiB; a text version for readers without HTML is made from it.'),
  cc: z.array(address).max(listMax).default([]).describe('CC recipients.'),
})

const output = z.strictObject({
  message_id: z.string().describe('The message’s `Message-ID`, by which it is found in logs and mailboxes.'),
  status: z
    .enum(['sent', 'partially_sent'])
    .describe('`sent`, or `partially_sent` where the mail server refused some of the recipients.'),
  timestamp: z.iso.datetime().describe('When the message was written (date-time), as its `Date` has it.'),
  recipients_count: z.int().describe('How many recipients the mail server accepted.'),
  rejected: z
    .array(
      z.strictObject({
        address: z.string().describe('The recipient.'),
        reason: z.string().describe('Why, in the mail server’s own words.'),
      }),
    )
    .optional()
    .describe('The recipients that the mail server refused; the others get the message.'),
})

type Input = z.input<typeof input>

/** D4-011, D4-025. It declares the policies that the document gives it; policies enforce them. */
export function createSendEmail(
  config: EmailConfig,
  mailer: Mailer,
  clock: Clock = systemClock,
): Tool<Input> {
  const from = parseMailbox(config.from)!
  const idDomain = domainOf(from.address)
  const check = checkRecipients(config.recipientDomains)
  return {
    kind: 'tool',
    name: 'send_email',
    title: 'Send an email',
    description: 'Send an email to specified recipients.',
    effect: 'write',
    category: 'email',
    confirm: true,
    rateLimit: '10/hour',
    input,
    output,
    // A login, the recipients and the message itself: each may take the server its time.
    timeoutMs: config.connectTimeoutMs + 2 * config.answerTimeoutMs,
    async run(call, context) {
      const { to, cc } = check(call.to, call.cc ?? [])
      requireMessage(call)
      const messageId = `<${randomUUID()}@${idDomain}>`
      const date = new Date(clock.now())
      const { subject, body: html } = call
      const message = { from, to: mailboxes(to), cc: mailboxes(cc), subject, html, text: htmlToText(html) }
      const { accepted, rejected } = await mailer.send({ ...message, messageId, date }, context)
      const status: z.output<typeof output>['status'] = rejected.length === 0 ? 'sent' : 'partially_sent'
      return {
        structuredContent: {
          message_id: messageId,
          status,
          timestamp: date.toISOString(),
          recipients_count: accepted.length,
          ...(rejected.length === 0 ? {} : { rejected }),
        },
      }
    },
  }
}

/** As objects, which nothing parses. */
function mailboxes(addresses: Recipients['to']) {
  return addresses.map((each) => ({ name: '', address: each }))
}

/** The schema says some of it too; here nothing depends on who checked that. */
function requireMessage({ subject, body }: Input): void {
  const fault = findSubjectFault(subject)
  if (fault !== undefined)
    throw new WeirError('INVALID_INPUT', `The subject ${fault}.`, {
      hint: `Give one line of at most ${subjectCharsMax} characters, as people are to read it.`,
      data: { sent: false },
    })
  const bytes = Buffer.byteLength(body)
  if (bytes <= bodyBytesMax) return
  throw new WeirError('INVALID_INPUT', `The body has ${bytes} bytes; at most ${bodyBytesMax} are sent.`, {
    hint: 'Shorten it, or link to what it holds.',
    data: { bytes, bytesMax: bodyBytesMax, sent: false },
  })
}

function findSubjectFault(subject: string): string | undefined {
  if (/\p{Cc}/u.test(subject)) return 'holds a control character'
  // Readers would decode it, and show something else, line breaks included.
  if (/=\?[^?]*\?[bq]\?/i.test(subject)) return 'holds an encoded word (`=?…?=`)'
  return [...subject].length > subjectCharsMax ? 'is too long' : undefined
}
