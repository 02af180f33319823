import type { Result } from '../../../core/outcome.ts'
import { isObject } from '../../../core/parse-json.ts'
import { jsonSchema } from '../../../core/schema.ts'
import type { Completion, CompletionInput } from '../../../core/tool.ts'
import { ask } from '../ask.ts'
import { protocolError } from '../upstream-error.ts'
import type { TargetSettings } from './target-settings.ts'

/** How the protocol says whose argument is meant. */
type Reference =
  | { readonly type: 'ref/prompt'; readonly name: string }
  | { readonly type: 'ref/resource'; readonly uri: string }

const text = { type: 'string' }
const input = jsonSchema<CompletionInput>({
  type: 'object',
  properties: {
    argument: { type: 'object', properties: { name: text, value: text }, required: ['name', 'value'] },
    context: {
      type: 'object',
      properties: { arguments: { type: 'object', additionalProperties: text } },
    },
  },
  required: ['argument'],
})

/** What a prompt or template gets for its `completion`: nothing where the server completes nothing. */
export function completionOf(
  name: string,
  ref: Reference,
  { client, timeoutMs }: TargetSettings,
): { readonly completion?: Completion } {
  if (client.capabilities['completions'] === undefined) return {}
  const completion: Completion = {
    ...{ kind: 'completion', name, effect: 'read', input, timeoutMs },
    description: `Values for the arguments of ${name}.`,
    run({ argument, context: known }, context) {
      const params = { ref, argument, ...(known === undefined ? {} : { context: known }) }
      return ask(client, 'completion/complete', params, context, checkValues)
    },
  }
  return { completion }
}

function checkValues(result: Record<string, unknown>): Result {
  const { completion } = result
  if (isObject(completion) && Array.isArray(completion['values'])) return result
  throw protocolError('The MCP server answered a completion without a list of values.')
}
