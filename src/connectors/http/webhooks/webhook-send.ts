import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Clock } from '../../../core/clock.ts'
import { WeirError } from '../../../core/error.ts'
import type { Tool } from '../../../core/tool.ts'
import type { EgressClient } from '../../../egress/egress.ts'
import { createRedactor } from '../redact.ts'
import { isInside } from '../resolve-url.ts'
import { postWebhook } from './post-webhook.ts'
import { createWebhookSigner, type WebhookSigner } from './sign-webhook.ts'
import type { WebhooksConfig } from './webhook-config.ts'

const input = z.strictObject({
  webhook_url: z.string().max(8_192).describe('Where the webhook goes: an absolute http or https URL.'),
  payload: z.record(z.string(), z.unknown()).describe('The JSON object to send.'),
  signature_secret: z
    .string()
    .optional()
    .describe(
      'The NAME of the configured secret that signs, never a secret itself. Without it the webhook is not signed.',
    ),
})

const output = z.strictObject({
  status_code: z.int().describe('HTTP status of the receiver’s answer.'),
  success: z.boolean().describe('Whether the status is 2xx. Redirects are not followed.'),
  response: z.string().describe('The receiver’s answer as text, at most 64 KiB of it.'),
  webhook_id: z
    .string()
    .describe('The id that was sent as `webhook-id`, by which the receiver tells repeats.'),
})

type Input = z.input<typeof input>

/** What the tool sends with. */
export interface WebhookParts {
  /** With the webhooks' own guard and sockets. */
  readonly client: EgressClient
  readonly clock: Clock
}

/** A secret, ready to sign, and where for. */
interface Signing {
  readonly sign: WebhookSigner
  readonly targets: readonly URL[]
}

/**
 * The tool `webhook_send` (D0-038, B-13, B-14). The bytes that are signed are the bytes that are sent, once. It is not
 * sent again by itself: each call is a webhook with an id of its own.
 */
export function createWebhookSend(config: WebhooksConfig, { client, clock }: WebhookParts): Tool<Input> {
  const allowed = config.targets?.map((target) => new URL(target))
  const signings = readSignings(config)
  const redactor = createRedactor(Object.values(config.secrets).map(({ secret }) => secret))
  const { timeoutMs, payloadBytesMax } = config
  return {
    kind: 'tool',
    name: 'webhook_send',
    title: 'Send a webhook',
    description: describe(config),
    effect: 'write',
    input,
    output,
    ...(timeoutMs > 30_000 ? { timeoutMs } : {}),
    async run({ webhook_url, payload, signature_secret: name }, { stop }) {
      const signing = name === undefined ? undefined : findSigning(signings, name)
      const url = readTarget(webhook_url, signing?.targets ?? allowed)
      const body = JSON.stringify(payload)
      refuseLarge(Buffer.byteLength(body), payloadBytesMax)
      const id = `msg_${randomUUID()}`
      const at = new Date(clock.now())
      const headers = {
        'content-type': 'application/json',
        'user-agent': 'weir',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
        ...signing?.sign(id, at, body),
      }
      const { status, text } = await postWebhook(client, url, { headers, body }, { stop, timeoutMs })
      const success = status >= 200 && status < 300
      const structuredContent = {
        status_code: status,
        success,
        response: redactor.text(text),
        webhook_id: id,
      }
      return status >= 500 ? { structuredContent, isError: true } : { structuredContent }
    },
  }
}

function describe({ secrets, targets }: WebhooksConfig): string {
  const names = Object.keys(secrets)
  const where = targets === undefined ? 'any public host' : targets.join(', ')
  const signed = names.length === 0 ? 'none is configured' : names.join(', ')
  return `Sends one JSON object to a webhook URL with POST, signed if asked for. URLs: ${where}. Names for signature_secret: ${signed}.`
}

/** By a map, so that no name finds what an object has anyway. */
function readSignings({ secrets, targets = [] }: WebhooksConfig): ReadonlyMap<string, Signing> {
  return new Map(
    Object.entries(secrets).map(([name, one]) => [
      name,
      {
        sign: createWebhookSigner(one.secret),
        targets: (one.targets ?? targets).map((target) => new URL(target)),
      },
    ]),
  )
}

/** What was given is not repeated: where it is no name, it is likely to be a secret (B-14). */
function findSigning(signings: ReadonlyMap<string, Signing>, name: string): Signing {
  const signing = signings.get(name)
  if (signing !== undefined) return signing
  const known = [...signings.keys()]
  throw new WeirError('INVALID_INPUT', '`signature_secret` is not the name of a configured secret.', {
    hint:
      known.length === 0
        ? 'Leave it out: this connection has no secrets under `webhooks.secrets`.'
        : `Give a name, never the secret itself: ${known.join(', ')}.`,
    data: { known, sent: false },
  })
}

function readTarget(text: string, targets: readonly URL[] | undefined): URL {
  const refuse = (what: string, hint: string) =>
    new WeirError('URL_NOT_ALLOWED', `The webhook URL ${what}.`, { hint, data: { sent: false } })
  // URL parsers drop or turn round these characters, each in its own way.
  const url = /[\\\p{Cc}\s]/u.test(text) ? null : URL.parse(text)
  if (url === null) throw refuse('cannot be parsed', 'Give an absolute http or https URL.')
  if (url.username !== '' || url.password !== '') {
    throw refuse('holds a user name or password', 'Leave them out; sign the webhook instead.')
  }
  if (targets !== undefined && !targets.some((target) => isInside(target, url))) {
    throw refuse(
      `to ${url.host} is at or below none of the targets it may go to`,
      `Use one of: ${targets.map(({ href }) => href).join(', ')}.`,
    )
  }
  url.hash = ''
  return url
}

function refuseLarge(bytes: number, bytesMax: number): void {
  if (bytes <= bytesMax) return
  throw new WeirError('INVALID_INPUT', `The payload has ${bytes} bytes; at most ${bytesMax} are sent.`, {
    hint: 'Send less, or raise `webhooks.payloadBytesMax`.',
    data: { bytes, payloadBytesMax: bytesMax, sent: false },
  })
}
