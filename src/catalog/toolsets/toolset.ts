import type { Entry, Listing, Named, Resolved, View } from '../../core/catalog.ts'
import { compileGlobs } from '../../core/glob.ts'
import type { Logger } from '../../core/logger.ts'
import type { Prompt, Resource, ResourceTemplate, Target, Tool } from '../../core/tool.ts'
import { createListing, type LiveListing } from '../listing.ts'
import type { LiveView } from '../view.ts'
import { type CheckValue, overrideTool, type ToolOverride } from './override-tool.ts'
import { createToolsetTools } from './toolset-tools.ts'

/** A named selection, served at a URL of its own. Patterns are of ids; `*` stands for any characters. */
export interface Toolset {
  readonly description?: string | undefined
  readonly tools: readonly (string | ToolOverride)[]
  /** Wins over everything that selects. */
  readonly exclude: readonly string[]
  readonly prompts: readonly string[]
  /** Of `{connection}:{uri}`. */
  readonly resources: readonly string[]
  /** Whether `search_tools` and `call_tool` stand for the list. */
  readonly search: boolean
  /** Tools that are listed beside these two. */
  readonly pinned: readonly string[]
}

/** What every toolset works with. */
export interface ToolsetParts {
  /** Every target of the catalog, prefixed. */
  readonly all: View
  readonly log: Logger
  readonly checkValue: CheckValue
}

/** A view of a selection that may become another one under the same name. */
export interface ToolsetView extends LiveView {
  /** Selects by these rules from the next `refresh` on. */
  change(toolset: Toolset): void
}

/** The view of one toolset. It reads the view of everything, which must be refreshed before it. */
export function createToolsetView(name: string, first: Toolset, parts: ToolsetParts): ToolsetView {
  const { all, log } = parts
  const selected = createListing<Tool>(log)
  const tools = createListing<Tool>(log)
  const prompts = createListing<Prompt>(log)
  const resources = createListing<Resource>(log)
  const templates = createListing<ResourceTemplate>(log)
  let toolset = first
  let rules = readRules(name, toolset, selected, parts)

  const refresh = () => {
    const { select, fixed, isPinned, isPrompt, isResource } = rules
    selected.replace(all.tools.list().flatMap(select).sort(byRank))
    const shown = selected.list()
    tools.replace(toolset.search ? [...fixed, ...shown.filter(({ entry }) => isPinned(entry.id))] : shown)
    narrow(prompts, all.prompts, isPrompt)
    narrow(resources, all.resources, isResource)
    narrow(templates, all.templates, isResource)
  }
  const resolve = (uri: string): Resolved | undefined => {
    const resolved = all.resolve(uri)
    return resolved !== undefined && isWithin(resolved, rules.isResource) ? resolved : undefined
  }
  refresh()
  return {
    ...{ tools, prompts, resources, templates, refresh, resolve },
    get description() {
      return toolset.description
    },
    watch: (uri, listener) => (resolve(uri) === undefined ? undefined : all.watch(uri, listener)),
    change(next) {
      toolset = next
      rules = readRules(name, next, selected, parts)
    },
  }
}

/** What the words of a toolset mean, compiled once. */
function readRules(name: string, toolset: Toolset, selected: Listing<Tool>, parts: ToolsetParts) {
  const { description } = toolset
  return {
    select: createSelect(name, toolset, parts),
    fixed: createToolsetTools({ toolset: name, description, selected }).map(
      (entry): Named<Tool> => ({ name: entry.target.name, entry }),
    ),
    isPinned: compileGlobs(toolset.pinned),
    isPrompt: compileGlobs(toolset.prompts),
    isResource: compileGlobs(toolset.resources),
  }
}

/** A selected tool; `isOwn` where the toolset itself gave it its name, which no server can take from it then. */
interface Ranked extends Named<Tool> {
  readonly isOwn: boolean
}

/** What a toolset makes of one tool: nothing, the tool itself, or what its overrides make of it. */
function createSelect(
  toolset: string,
  { tools, exclude }: Toolset,
  { log, checkValue }: ToolsetParts,
): (named: Named<Tool>) => readonly Ranked[] {
  const isPicked = compileGlobs(tools.filter((item) => typeof item === 'string'))
  const isExcluded = compileGlobs(exclude)
  const overrides = tools.filter((item) => typeof item === 'object')
  const attempt = (entry: Entry<Tool>, override: ToolOverride) => {
    try {
      return { name: override.name, entry: overrideTool(entry, override, checkValue) }
    } catch (thrown) {
      const cause = thrown instanceof Error ? thrown.message : String(thrown)
      const fields = { event: 'toolset.tool-left-out', toolset, tool: entry.id, cause }
      log.error(fields, 'An override does not fit its tool.')
      return undefined
    }
  }
  // An entry is overridden once for its life: who keeps something by the overridden one finds it again.
  const made = new WeakMap<
    Entry,
    readonly { readonly name: string | undefined; readonly entry: Entry<Tool> }[]
  >()
  return (named) => {
    const { entry } = named
    if (isExcluded(entry.id)) return []
    let own = made.get(entry)
    if (own === undefined) {
      const mine = overrides.filter(({ tool }) => tool === entry.id)
      own = mine.map((override) => attempt(entry, override)).filter((item) => item !== undefined)
      // One that does not fit must not come back unchanged by way of a pattern.
      if (mine.length === 0 && isPicked(entry.id)) own = [{ name: undefined, entry }]
      made.set(entry, own)
    }
    return own.map(({ name, entry }) => ({
      ...named,
      name: name ?? named.name,
      entry,
      isOwn: name !== undefined,
    }))
  }
}

function byRank(a: Ranked, b: Ranked): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1
  return Number(b.isOwn) - Number(a.isOwn)
}

function narrow<T extends Target>(
  listing: LiveListing<T>,
  all: { list(): readonly Named<T>[] },
  isSelected: (id: string) => boolean,
): void {
  listing.replace(all.list().filter(({ entry }) => isSelected(pathOf(entry, entry.target.name))))
}

function pathOf({ connection }: Entry, name: string): string {
  return `${connection}:${name}`
}

/** What could lead a server out of the folder that a pattern names: dots, and separators written as numbers. */
const climbs = /(?:^|[/\\:])\.\.?(?:[/\\?#]|$)|%(?:2e|2f|5c|25)/i

/** A listed resource is what it is; a URI that a client made up must fit, and must not climb out of what fits. */
function isWithin({ entry, uri }: Resolved, isResource: (path: string) => boolean): boolean {
  if (!isResource(pathOf(entry, uri))) return false
  return entry.target.kind === 'resource' || !climbs.test(uri)
}
