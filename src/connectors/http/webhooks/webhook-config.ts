import { z } from 'zod'
import { allowPrivateField } from '../allow-private.ts'
import { baseUrlField } from '../base-url.ts'

const targets = z.array(baseUrlField).nonempty().max(1_000)

const secret = z.strictObject({
  secret: z
    .string()
    .min(16, 'is shorter than the 16 characters that a signature needs')
    .max(1_000)
    .refine(isKey, 'begins with `whsec_` and is not base64 after it')
    .describe(
      'The key of the signatures: a text of at least 16 characters, or `whsec_` and a key in base64, as Standard Webhooks has it.',
    ),
  targets: targets
    .optional()
    .describe(
      'Where this secret may sign for, as base URLs; the `targets` of all webhooks by default. A signature that others get could be shown to the receiver again.',
    ),
})

/** What `webhook_send` may send, and where (D0-038). */
export const webhooksConfig = z
  .strictObject({
    targets: targets
      .optional()
      .describe(
        'The base URLs that webhooks may go to or below. Default: every host on the public internet.',
      ),
    secrets: z
      .record(z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'must be letters, digits, `_`, `.` or `-`'), secret)
      .default({})
      .describe('The secrets that sign, by the name callers give as `signature_secret`.'),
    timeoutMs: z
      .int()
      .min(1)
      .max(600_000)
      .default(10_000)
      .describe('Longest time that one webhook may take, in milliseconds.'),
    payloadBytesMax: z
      .int()
      .min(2)
      .max(1024 * 1024)
      .default(256 * 1024)
      .describe('Largest payload sent, in bytes of JSON.'),
    allowPrivate: allowPrivateField.describe(
      'Lets webhooks go to this machine or a private network: true, or a list of host names, addresses and CIDR blocks.',
    ),
  })
  .superRefine((config, context) => {
    if (config.targets !== undefined) return
    for (const [name, one] of Object.entries(config.secrets)) {
      if (one.targets !== undefined) continue
      const message = 'is needed: who may get what this secret signs?'
      context.addIssue({ code: 'custom', path: ['secrets', name, 'targets'], message })
    }
  })

export type WebhooksConfig = z.infer<typeof webhooksConfig>

const standardPrefix = 'whsec_'

/** Whether a secret is in the form of Standard Webhooks, where the key is base64. */
export function isStandardSecret(text: string): boolean {
  return text.startsWith(standardPrefix)
}

function isKey(text: string): boolean {
  if (!isStandardSecret(text)) return true
  const key = text.slice(standardPrefix.length)
  return /^[A-Za-z0-9+/]+={0,2}$/.test(key) && key.length % 4 === 0
}
