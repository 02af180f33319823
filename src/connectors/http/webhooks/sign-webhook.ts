import { createHmac } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { isStandardSecret } from './webhook-config.ts'

/** Makes the headers that show who sent a body, when, and that nobody changed it. */
export type WebhookSigner = (id: string, at: Date, body: string) => Readonly<Record<string, string>>

/**
 * Signs in both forms with one secret (C-10): D0's `X-Webhook-Signature`, whose key is the secret's own bytes, and
 * Standard Webhooks, whose signature binds id and time too and whose key is what stands in base64 after `whsec_`.
 */
export function createWebhookSigner(secret: string): WebhookSigner {
  const standard = isStandardSecret(secret)
    ? new Webhook(secret)
    : new Webhook(new Uint8Array(Buffer.from(secret)), { format: 'raw' })
  return (id, at, body) => ({
    'webhook-signature': standard.sign(id, at, body),
    'x-webhook-signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
  })
}
