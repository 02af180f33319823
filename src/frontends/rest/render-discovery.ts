import type { Catalog, Entry } from '../../core/catalog.ts'
import { type JsonSchema, toJsonSchema } from '../../core/schema.ts'
import type { Effect } from '../../core/tool.ts'

/** `GET /mcp/discover` (D4-012). */
export interface Discovery {
  readonly server_name: string
  readonly version: string
  readonly description: string
  readonly tools: readonly DiscoveredTool[]
  readonly capabilities: readonly string[]
  readonly health_check_url: string
}

/** A tool as this dialect describes it (D4-010). `name` is the id, which `tool_slug` takes. */
interface DiscoveredTool {
  readonly name: string
  readonly description: string
  readonly input_schema: JsonSchema
  readonly output_schema?: JsonSchema
  readonly category: string
  /** Beside the document's fields: what the tool does to the world. */
  readonly effect: Effect
}

const settleMaxMs = 2_000

/** Everything there is, by id. Waits at most 2 s for connections that are starting (R6). */
export async function renderDiscovery({
  catalog,
  server,
}: {
  readonly catalog: Catalog
  readonly server: { readonly name: string; readonly version: string }
}): Promise<Discovery> {
  await catalog.settled(settleMaxMs)
  const entries = (catalog.view()?.tools.list() ?? []).map(({ entry }) => entry)
  return {
    server_name: server.name,
    version: server.version,
    description: 'Every tool of every connection of this gateway, under one roof.',
    tools: entries.map(renderTool),
    capabilities: catalog.connections().map(({ name }) => name),
    health_check_url: '/health',
  }
}

/** A schema is not cheap to say, and an entry never changes. */
const rendered = new WeakMap<Entry, DiscoveredTool>()

function renderTool(entry: Entry): DiscoveredTool {
  let tool = rendered.get(entry)
  if (tool === undefined) {
    tool = describeTool(entry)
    rendered.set(entry, tool)
  }
  return tool
}

function describeTool({ id, connection, target }: Entry): DiscoveredTool {
  return {
    name: id,
    description: target.description,
    input_schema: toJsonSchema(target.input),
    ...(target.output === undefined ? {} : { output_schema: toJsonSchema(target.output) }),
    category: connection,
    effect: target.effect,
  }
}
