import type { Outcome } from '../core/outcome.ts'
import type { Target } from '../core/tool.ts'

/** MCP's own names, whatever dialect a call comes by. */
const methods: Readonly<Record<Target['kind'], string>> = {
  tool: 'tools/call',
  resource: 'resources/read',
  'resource-template': 'resources/read',
  prompt: 'prompts/get',
  completion: 'completion/complete',
  'task-control': 'tasks/get',
}

/** What a call of a target is called in MCP. */
export function methodOf(kind: Target['kind']): string {
  return methods[kind]
}

/** What went wrong, by its code, or `tool_error` for a tool that answered with an error, however politely (B-06). */
export function failureOf(outcome: Outcome): string | undefined {
  if (outcome.kind === 'failed') return outcome.error.code
  return outcome.kind === 'complete' && outcome.result.isError === true ? 'tool_error' : undefined
}
