import { type Caller, everything } from '../../core/caller.ts'
import type { Catalog, Entry } from '../../core/catalog.ts'
import { WeirError } from '../../core/error.ts'
import { isObject } from '../../core/parse-json.ts'
import { mayUse } from '../../core/permission.ts'
import { type JsonSchema, toJsonSchema } from '../../core/schema.ts'
import { categoryOf, type Effect, type Tool } from '../../core/tool.ts'

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
  /** What the tool declares for itself; whether it holds is for the policies. */
  readonly requires_confirmation?: boolean
  readonly rate_limit?: string
  readonly category: string
  /** Beside the document's fields: what the tool does to the world. */
  readonly effect: Effect
}

const settleMaxMs = 2_000
/** More than these nobody reads, and each further one fits the words worse. */
const foundMax = 100
const wordsCharsMax = 1_000

/** What the list is narrowed to (D4-032). */
export interface DiscoveryQuery {
  readonly search?: string
  readonly category?: string
}

/** Reads `?search=words&category=x`. Throws INVALID_REQUEST where one of them is there twice, or too long. */
export function readDiscoveryQuery(query: unknown): DiscoveryQuery {
  const { search, category } = isObject(query) ? query : {}
  for (const [name, value] of Object.entries({ search, category })) {
    if (value === undefined || (typeof value === 'string' && value.length <= wordsCharsMax)) continue
    throw new WeirError(
      'INVALID_REQUEST',
      `"${name}" must be one text of at most ${wordsCharsMax} characters.`,
      {
        hint: 'See GET /mcp/discover in the reference.',
      },
    )
  }
  return {
    ...(typeof search === 'string' && search.trim() !== '' ? { search } : {}),
    ...(typeof category === 'string' && category !== '' ? { category } : {}),
  }
}

/** Everything that the caller may use, by id, or what fits the query, best first. Waits at most 2 s for connections that are starting (R6). */
export async function renderDiscovery(
  { catalog, server }: DiscoveryParts,
  caller: Caller,
  query: DiscoveryQuery = {},
): Promise<Discovery> {
  await catalog.settled(settleMaxMs)
  const found = await findTools(catalog, caller, query)
  return {
    server_name: server.name,
    version: server.version,
    description: 'Every tool of every connection of this gateway, under one roof.',
    tools: found.map(renderTool),
    capabilities: listCapabilities(catalog, caller),
    health_check_url: '/health',
  }
}

/** What discovery reads. */
export interface DiscoveryParts {
  readonly catalog: Catalog
  readonly server: { readonly name: string; readonly version: string }
}

function findTools(
  catalog: Catalog,
  caller: Caller,
  { search = '', category }: DiscoveryQuery,
): Promise<readonly Entry<Tool>[]> {
  const limit = search === '' ? Number.POSITIVE_INFINITY : foundMax
  const narrow = caller.grants === everything ? {} : { accepts: (entry: Entry) => mayUse(caller, entry) }
  return catalog.search(search, { limit, category, ...narrow })
}

/** Every connection, or those of which the caller may use anything at all. */
function listCapabilities(catalog: Catalog, caller: Caller): readonly string[] {
  const names = catalog.connections().map(({ name }) => name)
  if (caller.grants === everything) return names
  const view = catalog.view()!
  const usable = [view.tools, view.prompts, view.resources].flatMap((listing) =>
    listing.list().flatMap(({ entry }) => (mayUse(caller, entry) ? [entry.connection] : [])),
  )
  const isUsable = new Set(usable)
  return names.filter((name) => isUsable.has(name))
}

/** A schema is not cheap to say, and an entry never changes. */
const rendered = new WeakMap<Entry<Tool>, DiscoveredTool>()

function renderTool(entry: Entry<Tool>): DiscoveredTool {
  let tool = rendered.get(entry)
  if (tool === undefined) {
    tool = describeTool(entry)
    rendered.set(entry, tool)
  }
  return tool
}

function describeTool({ id, target }: Entry<Tool>): DiscoveredTool {
  return {
    name: id,
    description: target.description,
    input_schema: toJsonSchema(target.input),
    ...(target.output === undefined ? {} : { output_schema: toJsonSchema(target.output) }),
    ...(target.confirm === undefined ? {} : { requires_confirmation: target.confirm }),
    ...(target.rateLimit === undefined ? {} : { rate_limit: target.rateLimit }),
    category: categoryOf(target),
    effect: target.effect,
  }
}
