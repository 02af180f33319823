import type { Listing } from '../../core/catalog.ts'
import { toJsonSchema } from '../../core/schema.ts'
import type { Effect, Tool } from '../../core/tool.ts'
import type { Revision } from '../../wire/model.ts'

/** The result of `tools/list` in a revision, encoded: a list of 1,000 tools is made once, not per request (P10). */
export type RenderTools = (tools: Listing<Tool>, revision: Revision) => Buffer

/** `renderMembers` gives what follows the list in every result of a revision. Lists are kept until they change. */
export function createToolsRenderer(renderMembers: (revision: Revision) => string): RenderTools {
  const kept = new WeakMap<
    Listing<Tool>,
    Map<string, { readonly listVersion: number; readonly result: Buffer }>
  >()
  return (listing, revision) => {
    let byRevision = kept.get(listing)
    if (byRevision === undefined) {
      byRevision = new Map()
      kept.set(listing, byRevision)
    }
    let rendered = byRevision.get(revision.version)
    if (rendered === undefined || rendered.listVersion !== listing.version) {
      const tools = listing.list().map(({ name, entry }) => renderTool(name, entry.target, revision.era))
      const text = `{"tools":${JSON.stringify(tools)}${renderMembers(revision)}}`
      rendered = { listVersion: listing.version, result: Buffer.from(text) }
      byRevision.set(revision.version, rendered)
    }
    return rendered.result
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
