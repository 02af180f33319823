import { type Caller, everything, type Grants } from '../../core/caller.ts'
import type { Listing, Named, View } from '../../core/catalog.ts'
import { decideRead, mayUse } from '../../core/permission.ts'
import type { Target } from '../../core/tool.ts'

/** Views of one list kept at once, one for each set of rights; beyond it the one that was made first is made again. */
const keptMax = 64
const kept = new WeakMap<View, Map<Grants, View>>()

/**
 * The view as one caller sees it: its lists hold what the caller may use. What is found by name is found for
 * everybody, because the stage that refuses it says why. All callers of the same rights share one view, and so whatever
 * is kept by its lists.
 */
export function narrowView(view: View, caller: Caller): View {
  const { grants } = caller
  if (grants === everything) return view
  if (grants === undefined) return createNarrowView(view, caller)
  let byGrants = kept.get(view)
  if (byGrants === undefined) {
    byGrants = new Map()
    kept.set(view, byGrants)
  }
  let narrow = byGrants.get(grants)
  if (narrow === undefined) {
    narrow = createNarrowView(view, caller)
    const oldest = byGrants.size < keptMax ? undefined : byGrants.keys().next().value
    if (oldest !== undefined) byGrants.delete(oldest)
    byGrants.set(grants, narrow)
  }
  return narrow
}

function createNarrowView(view: View, caller: Caller): View {
  return {
    ...(view.description === undefined ? {} : { description: view.description }),
    tools: narrowListing(view.tools, caller),
    prompts: narrowListing(view.prompts, caller),
    resources: narrowListing(view.resources, caller),
    templates: narrowListing(view.templates, caller),
    resolve: (uri) => view.resolve(uri),
    watch(uri, listener) {
      const resolved = view.resolve(uri)
      if (resolved === undefined) return undefined
      const { entry, uri: own } = resolved
      const isAllowed =
        entry.target.kind === 'resource'
          ? mayUse(caller, entry)
          : decideRead(caller.grants, entry.connection, own).isAllowed
      return isAllowed ? view.watch(uri, listener) : undefined
    },
  }
}

function narrowListing<T extends Target>(listing: Listing<T>, caller: Caller): Listing<T> {
  let seen: { readonly version: number; readonly list: readonly Named<T>[] } | undefined
  return {
    get version() {
      return listing.version
    },
    find: (name) => listing.find(name),
    list() {
      if (seen === undefined || seen.version !== listing.version) {
        const list = listing.list().filter(({ entry }) => mayUse(caller, entry))
        seen = { version: listing.version, list }
      }
      return seen.list
    },
    onChange: (listener) => listing.onChange(listener),
  }
}
