import type { Caller } from '../../core/caller.ts'
import type { Entry } from '../../core/catalog.ts'
import { WeirError } from '../../core/error.ts'
import type { Tool } from '../../core/tool.ts'

/** One tool and the arguments for it. */
export interface ToolCall {
  readonly entry: Entry<Tool>
  readonly input: Readonly<Record<string, unknown>>
}

/**
 * What a call is really for: a tool that stands for others names the one that is meant, and that one's own schema,
 * permission and policies hold then. Throws what `delegate` throws.
 */
export function followDelegate(call: ToolCall, caller: Caller): ToolCall {
  const { delegate } = call.entry.target
  if (delegate === undefined) return call
  const meant = delegate(call.input, caller)
  // One that stands for itself would never come to an end.
  if (meant.entry.target.delegate !== undefined) {
    const { id } = meant.entry
    throw new WeirError('INVALID_PARAMS', `${call.entry.id} cannot call ${id}, which calls others itself.`, {
      hint: 'Name the tool that is meant in the end.',
    })
  }
  return meant
}
