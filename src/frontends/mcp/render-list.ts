import type { View } from '../../core/catalog.ts'
import { toJsonSchema } from '../../core/schema.ts'
import type { Effect, Tool } from '../../core/tool.ts'
import type { Revision } from '../../wire/model.ts'

/** The text of `tools` for a view and an era, kept until the view changes: a list of 1,000 tools is made once (P10). */
export type RenderTools = (view: View, revision: Revision) => string

export function createToolsRenderer(): RenderTools {
  const kept = new WeakMap<View, Map<string, { readonly version: number; readonly text: string }>>()
  return (view, { era }) => {
    let byEra = kept.get(view)
    if (byEra === undefined) {
      byEra = new Map()
      kept.set(view, byEra)
    }
    let rendered = byEra.get(era)
    if (rendered === undefined || rendered.version !== view.version) {
      const tools = view.list().map(({ name, entry }) => renderTool(name, entry.target, era))
      rendered = { version: view.version, text: JSON.stringify(tools) }
      byEra.set(era, rendered)
    }
    return rendered.text
  }
}

function renderTool(name: string, tool: Tool, era: Revision['era']): Record<string, unknown> {
  const rendered = tool.definition === undefined ? renderOwnTool(name, tool) : { ...tool.definition, name }
  // Legacy clients refuse a whole list in which one output schema does not describe an object.
  if (era === 'legacy' && 'outputSchema' in rendered && !describesObject(rendered['outputSchema'])) {
    const { outputSchema: _dropped, ...rest } = rendered
    return rest
  }
  return rendered
}

function describesObject(schema: unknown): boolean {
  return typeof schema === 'object' && schema !== null && 'type' in schema && schema.type === 'object'
}

function renderOwnTool(name: string, tool: Tool): Record<string, unknown> {
  return {
    name,
    ...(tool.title === undefined ? {} : { title: tool.title }),
    description: tool.description,
    inputSchema: toJsonSchema(tool.input),
    ...(tool.output === undefined ? {} : { outputSchema: toJsonSchema(tool.output) }),
    annotations: annotations[tool.effect],
  }
}

/** MCP's hints for each effect. Clients show them; nothing of ours decides by them. */
const annotations: Readonly<Record<Effect, Readonly<Record<string, boolean>>>> = {
  read: { readOnlyHint: true },
  'idempotent-write': { readOnlyHint: false, destructiveHint: false, idempotentHint: true },
  write: { readOnlyHint: false, destructiveHint: false, idempotentHint: false },
  destructive: { readOnlyHint: false, destructiveHint: true, idempotentHint: false },
}
