import { type JsonSchema, jsonSchema } from '../../core/schema.ts'
import type { Prompt, Resource, Target, Tool } from '../../core/tool.ts'

export type Definition = Readonly<Record<string, unknown>> & { readonly name: string }

/** A tool as a connector makes it of what an MCP server says. It answers with the name that the server knows. */
export function toolOf(definition: Definition): Tool {
  const { name, title, description, inputSchema = { type: 'object' }, outputSchema } = definition
  return {
    ...{ kind: 'tool', name, definition, effect: 'write' },
    description: typeof description === 'string' ? description : '',
    ...(typeof title === 'string' ? { title } : {}),
    input: jsonSchema(inputSchema as JsonSchema),
    ...(outputSchema === undefined ? {} : { output: jsonSchema(outputSchema as JsonSchema) }),
    run: async () => ({ content: [{ type: 'text', text: `called ${name}` }] }),
  }
}

export function promptOf(definition: Definition): Prompt {
  const { name } = definition
  const input = jsonSchema<Readonly<Record<string, string>>>({ type: 'object' })
  return { kind: 'prompt', name, description: '', definition, effect: 'read', input, run: async () => ({}) }
}

export function resourceOf(definition: Definition & { readonly uri: string }): Resource {
  const { uri: name } = definition
  const input = jsonSchema<{ uri: string }>({ type: 'object' })
  return { kind: 'resource', name, description: '', definition, effect: 'read', input, run: async () => ({}) }
}

export const namesOf = (targets: readonly Target[]) => targets.map(({ name }) => name)
