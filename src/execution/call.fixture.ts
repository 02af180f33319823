import type { Call } from '../core/call.ts'
import { everything } from '../core/caller.ts'
import { Cancellation } from '../core/cancellation.ts'
import type { Entry } from '../core/catalog.ts'
import type { Policy } from '../core/policy.ts'
import { jsonSchema } from '../core/schema.ts'
import type { Tool } from '../core/tool.ts'

export const policy: Policy = { timeoutMs: 30_000 }

/** A tool that reads, takes anything and answers with its input, unless told otherwise. */
export function createEntry(tool: Partial<Tool> = {}): Entry {
  const target: Tool = {
    kind: 'tool',
    name: 'echo',
    description: 'Answers with its input.',
    effect: 'read',
    input: jsonSchema({ type: 'object' }),
    run: async (input) => ({ structuredContent: input }),
    ...tool,
  }
  return { id: `box:${target.name}`, connection: 'box', target }
}

export function createCall(entry: Entry, more: Partial<Call> = {}): Call {
  return {
    id: 'call-1',
    entry,
    input: {},
    caller: { subject: 'local:ada', tenant: 'default', grants: everything },
    cancellation: new Cancellation(),
    via: 'rest',
    ...more,
  }
}
