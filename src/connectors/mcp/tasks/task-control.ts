import { jsonSchema } from '../../../core/schema.ts'
import type { RunContext, TaskControl, TaskInput } from '../../../core/tool.ts'
import { parseResult, send } from '../ask.ts'
import type { Client } from '../client.ts'

/** Frontends read what their clients send; what a server makes of the rest is its own affair. */
const input = jsonSchema({ type: 'object' }) as TaskControl['input']

/** What a client does to the tasks that a tool began: passed on as it is, under the server's own ids. */
export function createTaskControl(client: Client, tool: string, timeoutMs: number): TaskControl {
  return {
    kind: 'task-control',
    name: tool,
    description: `Asks about the tasks of ${tool}, answers their questions, ends them.`,
    effect: 'write',
    input,
    timeoutMs,
    async run({ method, taskId, params }: TaskInput, context: RunContext) {
      const { clientCapabilities: capabilities } = context
      const answered = await send(client, method, { ...params, taskId }, context, { capabilities })
      return parseResult(answered as Record<string, unknown>, (result) => result)
    },
  }
}
