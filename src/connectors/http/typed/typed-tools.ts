import type { Tool } from '../../../core/tool.ts'
import type { Api } from '../api.ts'
import { describeCall } from './call-tool.ts'
import type { CompileSchema } from './model.ts'
import { describeResource } from './resource-tools.ts'
import { createTypedTool } from './typed-tool.ts'

/** The tools with a form of their own that an API's configuration describes, in its order. */
export function createTypedTools(api: Api, compile: CompileSchema): readonly Tool[] {
  const { resources, calls } = api.config
  const typed = [
    ...Object.entries(resources).flatMap(([name, config]) => describeResource(api, name, config, compile)),
    ...Object.entries(calls).map(([name, call]) => describeCall(api, name, call, compile)),
  ]
  // A list of tools holds tools of any input; each checks its own.
  return typed.map((one) => createTypedTool(api, one) as Tool)
}
