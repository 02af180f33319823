import { WeirError } from '../../core/error.ts'
import { isObject } from '../../core/parse-json.ts'
import { type JsonSchema, jsonSchema } from '../../core/schema.ts'
import type { Tool } from '../../core/tool.ts'
import { readParamHeaders } from '../../wire/headers.ts'
import type { CallTarget } from './call-tool.ts'
import type { ToolDefinition } from './list-tools.ts'

const definitionCharsMax = 256 * 1024
/** The protocol's own limit. */
const nameCharsMax = 128
const anyObject: JsonSchema = { type: 'object' }

/** How the tools of one connection are run. */
export interface ToolSettings {
  readonly timeoutMs: number
  /** Whether parameters may have to travel in headers too: on a modern server behind HTTP. */
  readonly readsParamHeaders: boolean
  readonly run: (target: CallTarget, ...call: Parameters<Tool['run']>) => ReturnType<Tool['run']>
}

/** A tool of the upstream, with the text by which two definitions are told apart. */
export interface UpstreamTool {
  readonly tool: Tool
  readonly target: CallTarget
  readonly text: string
}

/**
 * A server's definition as a tool of Weir. Its effect is `write` whatever the hints say (they are the server's word).
 * Throws UPSTREAM_PROTOCOL or INVALID_PARAMS where the tool has to be left out, saying why.
 */
export function toTool(definition: ToolDefinition, settings: ToolSettings): UpstreamTool {
  const text = JSON.stringify(definition)
  const { name, title, description, inputSchema = anyObject, outputSchema } = definition
  if (name.length === 0 || name.length > nameCharsMax)
    throw unusable(`its name has ${name.length} characters`)
  if (text.length > definitionCharsMax) throw unusable(`its definition has ${text.length} characters`)
  if (!isObject(inputSchema)) throw unusable('its input schema is no object')
  const target = { name, paramHeaders: settings.readsParamHeaders ? readParamHeaders(inputSchema) : [] }
  const tool: Tool = {
    kind: 'tool',
    name,
    ...(typeof title === 'string' ? { title } : {}),
    description: typeof description === 'string' ? description : '',
    effect: 'write',
    input: jsonSchema(inputSchema),
    ...(isObject(outputSchema) ? { output: jsonSchema(outputSchema) } : {}),
    definition,
    timeoutMs: settings.timeoutMs,
    run: (input, context) => settings.run(target, input, context),
  }
  return { tool, target, text }
}

function unusable(why: string): WeirError {
  return new WeirError('UPSTREAM_PROTOCOL', `The tool is not usable: ${why}.`)
}
