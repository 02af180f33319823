import type { Named, Staleness } from '../../../core/catalog.ts'
import { isObject } from '../../../core/parse-json.ts'
import { toJsonSchema } from '../../../core/schema.ts'
import type { Effect, Prompt, Resource, ResourceTemplate, Target, Tool } from '../../../core/tool.ts'
import type { Revision } from '../../../wire/model.ts'

/** One item of a list, as MCP shows it. */
export type Definition = Readonly<Record<string, unknown>>

/** A tool in `tools/list`: an upstream's own definition field by field, under our name. */
export function renderTool({ name, entry, stale }: Named<Tool>, era: Revision['era']): Definition {
  const { target } = entry
  const rendered = markStale({ ...(target.definition ?? renderOwnTool(target)), name }, stale)
  // Legacy clients refuse a whole list in which one output schema does not describe an object.
  if (era === 'legacy' && 'outputSchema' in rendered && !describesObject(rendered['outputSchema'])) {
    const { outputSchema: _dropped, ...rest } = rendered
    return rest
  }
  return rendered
}

/** A resource in `resources/list`; its `name` is for people, and its URI where we have none. */
export function renderResource({ name: uri, entry, stale }: Named<Resource>): Definition {
  const { target } = entry
  return markStale({ ...(target.definition ?? renderOwnResource(target)), uri }, stale)
}

/** A template in `resources/templates/list`. */
export function renderTemplate({ name: uriTemplate, entry, stale }: Named<ResourceTemplate>): Definition {
  const { target } = entry
  const definition = target.definition ?? renderOwn(target, target.title ?? target.name)
  return markStale({ ...definition, uriTemplate }, stale)
}

/** A prompt in `prompts/list`. */
export function renderPrompt({ name, entry, stale }: Named<Prompt>): Definition {
  const { target } = entry
  return markStale({ ...(target.definition ?? renderOwnPrompt(target)), name }, stale)
}

/** R6: what is only remembered says so, beside whatever `_meta` it came with. */
function markStale(definition: Definition, stale: Staleness | undefined): Definition {
  if (stale === undefined) return definition
  const { _meta } = definition
  const { since, cause } = stale
  return { ...definition, _meta: { ...(isObject(_meta) ? _meta : {}), 'weir/stale': { since, cause } } }
}

function describesObject(schema: unknown): boolean {
  return typeof schema === 'object' && schema !== null && 'type' in schema && schema.type === 'object'
}

function renderOwn({ title, description }: Target, name: string): Definition {
  return { name, ...(title === undefined ? {} : { title }), description }
}

function renderOwnResource(resource: Resource): Definition {
  const { title, name, mimeType } = resource
  return { ...renderOwn(resource, title ?? name), ...(mimeType === undefined ? {} : { mimeType }) }
}

function renderOwnTool(tool: Tool): Definition {
  return {
    ...renderOwn(tool, tool.name),
    inputSchema: toJsonSchema(tool.input),
    ...(tool.output === undefined ? {} : { outputSchema: toJsonSchema(tool.output) }),
    annotations: annotations[tool.effect],
  }
}

/** MCP lists a prompt's arguments one by one; ours are the properties of its input schema. */
function renderOwnPrompt(prompt: Prompt): Definition {
  const { properties = {}, required } = toJsonSchema(prompt.input)
  const isRequired = (name: string) => Array.isArray(required) && required.includes(name)
  const args = Object.entries(isObject(properties) ? properties : {}).map(([name, property]) => ({
    name,
    ...(isObject(property) && typeof property['description'] === 'string'
      ? { description: property['description'] }
      : {}),
    required: isRequired(name),
  }))
  return { ...renderOwn(prompt, prompt.name), arguments: args }
}

/** MCP's hints for each effect. Clients show them; nothing of ours decides by them. */
const annotations: Readonly<Record<Effect, Readonly<Record<string, boolean>>>> = {
  read: { readOnlyHint: true },
  'idempotent-write': { readOnlyHint: false, destructiveHint: false, idempotentHint: true },
  write: { readOnlyHint: false, destructiveHint: false, idempotentHint: false },
  destructive: { readOnlyHint: false, destructiveHint: true, idempotentHint: false },
}
