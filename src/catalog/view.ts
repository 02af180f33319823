import type { Disposable, Entry, Named, Resolved, Staleness, View } from '../core/catalog.ts'
import type { Logger } from '../core/logger.ts'
import type { Prompt, Resource, ResourceTemplate, Target, Tool } from '../core/tool.ts'
import { createListing } from './listing.ts'
import { nameTarget, nameTool, parseTargetName } from './name-tool.ts'

/** What one connection offers now; a connection slot is one. */
export interface Offer {
  readonly name: string
  readonly entries: readonly Entry[]
  /** Set where the connection has not been up for a while. */
  readonly stale: Staleness | undefined
  /** `undefined`: nothing there answers for the URI, or it tells of no changes. */
  watch(uri: string, listener: () => void): Disposable | undefined
}

/** A view whose owner may change it. */
export interface LiveView extends View {
  /** Reads the offers again. Tells each list's listeners only where that list has changed. */
  refresh(): void
}

/** Everything of several connections: names carry the connection's, URIs only where two connections have the same one. */
export function createPrefixedView(offers: readonly Offer[], log: Logger): LiveView {
  return createView(offers, true, log)
}

/** One connection by itself, in its own order and under its own names. */
export function createUnprefixedView(offer: Offer, log: Logger): LiveView {
  return createView([offer], false, log)
}

function createView(offers: readonly Offer[], isPrefixed: boolean, log: Logger): LiveView {
  const tools = createListing<Tool>(log)
  const prompts = createListing<Prompt>(log)
  const resources = createListing<Resource>(log)
  const templates = createListing<ResourceTemplate>(log)
  let unlisted: readonly Entry<ResourceTemplate>[] = []

  const refresh = () => {
    const entries = offers.flatMap((offer) => offer.entries)
    const stale = new Map(offers.map((offer) => [offer.name, offer.stale]))
    const nameAll = <T extends Target>(some: readonly Entry<T>[], name: (entry: Entry<T>) => string) =>
      some.map((entry) => nameEntry(name(entry), entry, stale.get(entry.connection)))
    const ownName = (entry: Entry) => entry.target.name
    const toolName = (entry: Entry) => nameTool(entry.connection, entry.target.name)
    const name = isPrefixed ? toolName : ownName
    const order = isPrefixed ? byName : asTheyCome
    tools.replace(order(nameAll(ofKind(entries, 'tool'), name)))
    prompts.replace(order(nameAll(ofKind(entries, 'prompt'), name)))
    const uri = (kind: Target['kind']) => (isPrefixed ? nameUris(ofKind(entries, kind)) : ownName)
    resources.replace(order(nameAll(ofKind(entries, 'resource'), uri('resource'))))
    const all = ofKind(entries, 'resource-template')
    unlisted = all.filter(({ target }) => target.isUnlisted === true)
    const listed = all.filter(({ target }) => target.isUnlisted !== true)
    templates.replace(order(nameAll(listed, isPrefixed ? nameUris(listed) : ownName)))
  }
  const resolve = (uri: string): Resolved | undefined => {
    const resource = resources.find(uri)
    if (resource !== undefined) return { entry: resource, uri: resource.target.name }
    const qualified = isPrefixed ? parseTargetName(uri) : undefined
    const own = qualified?.name ?? uri
    const isMeant = ({ connection }: Entry) => qualified === undefined || qualified.connection === connection
    const candidates = [...templates.list().map(({ entry }) => entry), ...unlisted].filter(isMeant)
    const exact = candidates.length === 0 ? undefined : findResource(resources.list(), qualified)
    const entry = exact ?? candidates.find(({ target }) => target.isUnlisted !== true && target.matches(own))
    if (entry !== undefined) return { entry, uri: own }
    const guess = soleOwner(candidates, resources.list(), own)
    return guess === undefined ? undefined : { entry: guess, uri: own }
  }
  refresh()
  return {
    ...{ tools, prompts, resources, templates, refresh, resolve },
    watch(uri, listener) {
      const resolved = resolve(uri)
      if (resolved === undefined) return undefined
      const offer = offers.find(({ name }) => name === resolved.entry.connection)
      return offer?.watch(resolved.uri, listener)
    },
  }
}

type OfKind<K extends Target['kind']> = Extract<Target, { kind: K }>

function ofKind<K extends Target['kind']>(entries: readonly Entry[], kind: K): Entry<OfKind<K>>[] {
  return entries.filter((entry): entry is Entry<OfKind<K>> => entry.target.kind === kind)
}

function nameEntry<T extends Target>(name: string, entry: Entry<T>, stale: Staleness | undefined): Named<T> {
  return stale === undefined ? { name, entry } : { name, entry, stale }
}

/** Sorted, so that the list is the same whatever the order in which connections came up. */
function byName<T extends Target>(named: readonly Named<T>[]): readonly Named<T>[] {
  return [...named].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** In the connection's own order, which is stable already. */
function asTheyCome<T extends Target>(named: readonly Named<T>[]): readonly Named<T>[] {
  return named
}

/** A URI that tools' answers link to must stay what it is; only one that two connections share is told apart, in both. */
function nameUris(entries: readonly Entry[]): (entry: Entry) => string {
  const owners = new Map<string, number>()
  for (const { target } of entries) owners.set(target.name, (owners.get(target.name) ?? 0) + 1)
  return ({ connection, target }) =>
    owners.get(target.name) === 1 ? target.name : nameTarget(connection, target.name)
}

function findResource(
  listed: readonly Named<Resource>[],
  qualified: { readonly connection: string; readonly name: string } | undefined,
): Entry<Resource> | undefined {
  if (qualified === undefined) return undefined
  return listed.find(
    ({ entry }) => entry.connection === qualified.connection && entry.target.name === qualified.name,
  )?.entry
}

/** Servers answer for URIs that they never list. Where one connection alone can be meant, it is asked. */
function soleOwner(
  candidates: readonly Entry<ResourceTemplate>[],
  listed: readonly Named<Resource>[],
  uri: string,
): Entry<ResourceTemplate> | undefined {
  const open = candidates.filter(({ target }) => target.isUnlisted === true)
  if (open.length <= 1) return open[0]
  const scheme = schemeOf(uri)
  const named = [...listed.map(({ entry }) => entry), ...candidates]
  const owners = new Set(
    named.filter(({ target }) => schemeOf(target.name) === scheme).map(({ connection }) => connection),
  )
  return owners.size === 1 ? open.find(({ connection }) => owners.has(connection)) : undefined
}

function schemeOf(uri: string): string {
  return uri.slice(0, uri.indexOf(':') + 1).toLowerCase()
}
