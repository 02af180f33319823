import { encodeHeaderValue, headerNames } from '../../../wire/headers.ts'
import type { RequestMeta } from '../../../wire/model.ts'
import type { Client } from '../client.ts'

/** Tells a server that nobody waits for a task any more. One that refuses to end it is not the caller's concern. */
export function abandonTask(client: Client, taskId: string, meta?: RequestMeta): void {
  const headers = client.era === 'modern' ? [headerNames.name, encodeHeaderValue(taskId)] : []
  const more = meta === undefined ? { headers } : { headers, meta }
  client.control('tasks/cancel', { taskId }, undefined, more).catch(() => {})
}
