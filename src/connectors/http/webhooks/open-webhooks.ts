import type { Tool } from '../../../core/tool.ts'
import type { ApiParts } from '../api.ts'
import type { WebhooksConfig } from './webhook-config.ts'
import { createWebhookSend } from './webhook-send.ts'

/** What a connection has for sending webhooks. */
export interface Webhooks {
  readonly tools: readonly Tool[]
  /** Safe to call twice. */
  close(): Promise<void>
}

/** Makes the webhooks' own client, with a guard of its own; nothing where none are configured. */
export function openWebhooks(
  config: WebhooksConfig | undefined,
  { egress, clock, connection }: ApiParts,
): Webhooks {
  if (config === undefined) return { tools: [], close: async () => {} }
  const client = egress.client({
    name: connection,
    allowPrivate: config.allowPrivate,
    allowPrivateKey: 'webhooks.allowPrivate',
  })
  return { tools: [createWebhookSend(config, { client, clock })], close: () => client.close() }
}
