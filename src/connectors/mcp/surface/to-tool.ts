import { isObject } from '../../../core/parse-json.ts'
import { type JsonSchema, jsonSchema } from '../../../core/schema.ts'
import type { TaskControl, Tool } from '../../../core/tool.ts'
import { readParamHeaders } from '../../../wire/headers.ts'
import type { CallTarget } from '../call-tool.ts'
import { unusable } from '../upstream-error.ts'
import { describeTarget } from './describe-target.ts'
import type { Definition } from './read-list.ts'
import type { Listed } from './upstream-list.ts'

/** The protocol's own limit. */
const nameCharsMax = 128
const anyObject: JsonSchema = { type: 'object' }

/** How the tools of one connection are run. */
export interface ToolSettings {
  readonly timeoutMs: number
  /** Whether parameters may have to travel in headers too: on a modern server behind HTTP. */
  readonly readsParamHeaders: boolean
  /** Whether a tool may say that it runs as a task only: on a legacy server that has tasks. */
  readonly readsTaskSupport: boolean
  /** How the tasks of a tool are asked about and ended; absent where its calls become none that outlive them. */
  readonly createTaskControl: ((tool: string) => TaskControl) | undefined
  readonly run: (target: CallTarget, ...call: Parameters<Tool['run']>) => ReturnType<Tool['run']>
}

/** A tool of the upstream, and what its calls need to know of it. */
export interface UpstreamTool extends Listed<Tool> {
  readonly call: CallTarget
}

/**
 * A server's definition as a tool of Weir. Its effect is `write` whatever the hints say (they are the server's word).
 * Throws UPSTREAM_PROTOCOL or INVALID_PARAMS where the tool has to be left out, saying why.
 */
export function toTool(name: string, definition: Definition, settings: ToolSettings): UpstreamTool {
  const { text, shared } = describeTarget(name, nameCharsMax, definition)
  const { inputSchema = anyObject, outputSchema, execution } = definition
  if (!isObject(inputSchema)) throw unusable('its input schema is no object')
  const taskSupport = isObject(execution) ? execution['taskSupport'] : undefined
  const call: CallTarget = {
    name,
    paramHeaders: settings.readsParamHeaders ? readParamHeaders(inputSchema) : [],
    needsTask: settings.readsTaskSupport && taskSupport === 'required',
  }
  const tasks = settings.createTaskControl?.(name)
  const target: Tool = {
    ...shared,
    ...(taskSupport === undefined ? {} : { definition: withoutTaskSupport(definition) }),
    kind: 'tool',
    effect: 'write',
    input: jsonSchema(inputSchema),
    ...(isObject(outputSchema) ? { output: jsonSchema(outputSchema) } : {}),
    timeoutMs: settings.timeoutMs,
    ...(tasks === undefined ? {} : { tasks }),
    run: (input, context) => settings.run(call, input, context),
  }
  return { target, call, text }
}

/** Tasks of the old form end at Weir, and a client that reads of them would not call the tool as it can be called here. */
function withoutTaskSupport({ execution, ...definition }: Definition): Definition {
  const { taskSupport: _, ...rest } = Object(execution)
  return Object.keys(rest).length === 0 ? definition : { ...definition, execution: rest }
}
