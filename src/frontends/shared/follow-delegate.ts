import type { Catalog, Entry } from '../../core/catalog.ts'
import { WeirError } from '../../core/error.ts'
import type { Tool } from '../../core/tool.ts'

/** One tool and the arguments for it. */
export interface ToolCall {
  readonly entry: Entry<Tool>
  readonly input: Readonly<Record<string, unknown>>
}

/**
 * What a call is really for: a tool that stands for others names the one that is meant, and that one's own schema,
 * permission and policies hold then. Throws what `delegate` throws, and TOOL_NOT_FOUND where it names none.
 */
export function followDelegate(catalog: Catalog, call: ToolCall): ToolCall {
  const { delegate } = call.entry.target
  if (delegate === undefined) return call
  const { id, input } = delegate(call.input)
  const entry = catalog.find(id)
  if (entry === undefined) {
    throw new WeirError('TOOL_NOT_FOUND', `Tool ${JSON.stringify(id.slice(0, 200))} not found.`, {
      hint: 'Search for the tools there are.',
    })
  }
  // One that stands for itself would never come to an end.
  if (entry.target.delegate !== undefined) {
    throw new WeirError('INVALID_PARAMS', `${call.entry.id} cannot call ${id}, which calls others itself.`, {
      hint: 'Name the tool that is meant in the end.',
    })
  }
  return { entry, input }
}
