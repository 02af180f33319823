import type { Caller } from '../../core/caller.ts'
import type { Entry, Listing } from '../../core/catalog.ts'
import { WeirError } from '../../core/error.ts'
import { findNearestKeys } from '../../core/nearest-key.ts'
import { isObject } from '../../core/parse-json.ts'
import { mayUse } from '../../core/permission.ts'
import { jsonSchema, toJsonSchema } from '../../core/schema.ts'
import { categoryOf, type Delegation, type Tool } from '../../core/tool.ts'
import { createToolSearch } from '../search/tool-search.ts'

/** What the two tools stand for. */
export interface ToolsetTools {
  readonly toolset: string
  readonly description: string | undefined
  /** Every tool of the toolset, under the names that clients use. */
  readonly selected: Listing<Tool>
}

interface SearchInput {
  readonly query: string
  readonly limit?: number
  readonly category?: string
}

const limits = { first: 5, most: 20, queryChars: 1_000, categories: 50, nearest: 3 }

/** `search_tools` and `call_tool`, which a toolset serves in place of a list that no model could read. */
export function createToolsetTools(parts: ToolsetTools): readonly Entry<Tool>[] {
  return [createSearchTool(parts), createCallTool(parts)].map((target) =>
    Object.freeze({ id: `${parts.toolset}:${target.name}`, connection: parts.toolset, target }),
  )
}

function createSearchTool({ description, selected }: ToolsetTools): Tool {
  const index = createToolSearch(selected)
  const search = async ({ query, limit = limits.first, category }: SearchInput, caller: Caller) => {
    const accepts = (entry: Entry) => mayUse(caller, entry)
    const found = await index.search(query, { limit, category, accepts })
    const tools = found.map(({ name, entry }) => describeTool(name, entry))
    return {
      structuredContent:
        tools.length > 0 ? { tools } : { tools, categories: listCategories(selected, accepts) },
    }
  }
  return {
    kind: 'tool',
    name: 'search_tools',
    description: [
      'Finds tools by what they do. Answers with names, descriptions and input schemas, best first; call one with call_tool.',
      ...(description === undefined ? [] : [`The tools here: ${description}`]),
    ].join(' '),
    effect: 'read',
    input: jsonSchema({
      type: 'object',
      properties: {
        query: {
          type: 'string',
          minLength: 1,
          maxLength: limits.queryChars,
          description: 'What is to be done, in a few words, or a part of a tool’s name.',
        },
        limit: {
          type: 'integer',
          minimum: 1,
          maximum: limits.most,
          description: `How many tools to answer with at most; ${limits.first} by default.`,
        },
        category: { type: 'string', maxLength: 100, description: 'Only tools of this category.' },
      },
      required: ['query'],
      additionalProperties: false,
    }),
    isForAll: true,
    run: (input, { caller }) => search(input as SearchInput, caller),
  }
}

/** A tool can do anything, so can this one. */
function createCallTool({ selected }: ToolsetTools): Tool {
  const delegate = (asked: Readonly<Record<string, unknown>>, caller?: Caller): Delegation => {
    const { name, arguments: input = {} } = asked
    if (typeof name !== 'string' || !isObject(input)) {
      throw new WeirError('INVALID_PARAMS', 'call_tool takes a "name" and an object of "arguments".', {
        hint: 'search_tools tells both.',
      })
    }
    const entry = selected.find(name) ?? refuseUnknown(name, selected, caller)
    return entry.target.delegate?.(input, caller) ?? { entry, input }
  }
  return {
    kind: 'tool',
    name: 'call_tool',
    description: 'Calls a tool that search_tools found.',
    effect: 'destructive',
    input: jsonSchema({
      type: 'object',
      properties: {
        name: { type: 'string', description: 'The tool’s name.' },
        arguments: { type: 'object', description: 'What its input schema asks for.' },
      },
      required: ['name'],
      additionalProperties: false,
    }),
    isForAll: true,
    delegate,
    run: () => Promise.reject(new Error('call_tool stands for other tools and cannot be run itself')),
  }
}

function refuseUnknown(name: string, selected: Listing<Tool>, caller: Caller | undefined): never {
  const known = selected.list().filter(({ entry }) => caller !== undefined && mayUse(caller, entry))
  const names = known.map((named) => named.name)
  const nearest = findNearestKeys(name, names, limits.nearest)
  throw new WeirError('TOOL_NOT_FOUND', `Tool ${JSON.stringify(name.slice(0, 200))} not found.`, {
    hint:
      nearest.length === 0 ? 'search_tools finds those there are.' : `Did you mean ${nearest.join(' or ')}?`,
    data: { nearest },
  })
}

/** A schema is not cheap to say, and an entry never changes. */
const schemas = new WeakMap<Entry, unknown>()

function describeTool(name: string, entry: Entry<Tool>): Readonly<Record<string, unknown>> {
  if (!schemas.has(entry)) schemas.set(entry, toJsonSchema(entry.target.input))
  return { name, description: entry.target.description, inputSchema: schemas.get(entry) }
}

function listCategories(
  selected: Listing<Tool>,
  accepts: (entry: Entry<Tool>) => boolean,
): readonly string[] {
  const seen = selected.list().filter(({ entry }) => accepts(entry))
  const all = new Set(seen.map(({ entry }) => categoryOf(entry.target)))
  return [...all].sort().slice(0, limits.categories)
}
