import { expect, it } from 'vitest'
import { type Caller, everything, type Grants } from '../../core/caller.ts'
import type { Entry, Listing, Named, View } from '../../core/catalog.ts'
import { compileGlobs } from '../../core/glob.ts'
import { jsonSchema } from '../../core/schema.ts'
import type { Target } from '../../core/tool.ts'
import { narrowView } from './narrow-view.ts'

function entryOf(kind: Target['kind'], id: string, name: string): Entry<never> {
  const target = { kind, name, description: '', effect: 'read', input: jsonSchema({}), run: async () => ({}) }
  return { id, connection: 'box', target: target as unknown as never }
}

function listingOf(...entries: readonly Entry[]) {
  let named: readonly Named<never>[] = entries.map((entry) => ({
    name: entry.target.name,
    entry: entry as Entry<never>,
  }))
  const state = { version: 1 }
  const listing: Listing<never> = {
    get version() {
      return state.version
    },
    find: (name) => named.find((one) => one.name === name)?.entry,
    list: () => named,
    onChange: () => ({ dispose() {} }),
  }
  const replace = (next: readonly Named<never>[]) => {
    named = next
    state.version += 1
  }
  return { listing, replace }
}

const send = entryOf('tool', 'box:send', 'send')
const read = entryOf('tool', 'box:read', 'read')
const file = entryOf('resource', 'resource:box:file:///a', 'file:///a')
const template = entryOf('resource-template', 'resource:box:file:///{path}', 'file:///{path}')
const tools = listingOf(send, read)
const watched: string[] = []
const view: View = {
  tools: tools.listing,
  prompts: listingOf(entryOf('prompt', 'prompt:box:draft', 'draft')).listing,
  resources: listingOf(file).listing,
  templates: listingOf(template).listing,
  resolve: (uri) => ({ entry: uri === 'file:///a' ? file : template, uri }),
  watch(uri) {
    watched.push(uri)
    return { dispose() {} }
  },
}

const rights = (...patterns: readonly string[]): Grants => {
  const matches = compileGlobs(patterns)
  return { decide: (permission) => ({ isAllowed: matches(permission), rule: '' }) }
}
const callerWith = (grants?: Grants): Caller => ({
  subject: 's',
  tenant: 't',
  ...(grants === undefined ? {} : { grants }),
})
const names = (seen: View) =>
  [seen.tools, seen.prompts, seen.resources, seen.templates].flatMap((listing) =>
    listing.list().map(({ name }) => name),
  )

it('is the view itself for who may use everything', () => {
  expect(narrowView(view, callerWith(everything))).toBe(view)
})

it('lists what the caller may use, and finds the rest for the stage that refuses it', () => {
  const narrow = narrowView(view, callerWith(rights('tool:box:read', 'resource:box:*')))
  expect(names(narrow)).toEqual(['read', 'file:///a', 'file:///{path}'])
  expect(narrow.tools.find('send')).toBe(send)
  expect(names(narrowView(view, callerWith()))).toEqual([])
  expect(names(narrowView(view, callerWith(rights())))).toEqual([])
})

it('is made once for all callers of the same rights, and follows what changes', () => {
  const some = rights('tool:*')
  const narrow = narrowView(view, callerWith(some))
  expect(narrowView(view, callerWith(some))).toBe(narrow)
  const before = narrow.tools.list()
  expect(narrow.tools.list()).toBe(before)
  tools.replace([{ name: 'send', entry: send }])
  expect(narrow.tools.list()).toEqual([{ name: 'send', entry: send }])
})

it('is kept for the last 64 rights', () => {
  const first = rights('tool:*')
  const narrow = narrowView(view, callerWith(first))
  const others = Array.from({ length: 64 }, () => rights('tool:*'))
  const made = others.map((other) => narrowView(view, callerWith(other)))
  expect(narrowView(view, callerWith(others[63]!))).toBe(made[63])
  expect(narrowView(view, callerWith(first))).not.toBe(narrow)
})

it('tells of changes only of what the caller may read', () => {
  const narrow = narrowView(view, callerWith(rights('resource:box:file:///open/*')))
  for (const uri of ['file:///a', 'file:///open/b', 'file:///secret/b', 'file:///open/../secret/b']) {
    narrow.watch(uri, () => {})
  }
  expect(watched).toEqual(['file:///open/b'])
})
