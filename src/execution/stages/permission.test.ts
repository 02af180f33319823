import { describe, expect, it } from 'vitest'
import type { Run } from '../../core/call.ts'
import { type Caller, everything, type Grants } from '../../core/caller.ts'
import type { Entry } from '../../core/catalog.ts'
import { compileGlobs } from '../../core/glob.ts'
import { jsonSchema } from '../../core/schema.ts'
import type { Target } from '../../core/tool.ts'
import { createCall, createEntry, policy } from '../call.fixture.ts'
import { permissionStage } from './permission.ts'

/** Rights that count how often they are asked. */
function allow(...patterns: readonly string[]): Grants & { asked: string[] } {
  const matches = compileGlobs(patterns)
  const asked: string[] = []
  return {
    asked,
    decide(permission) {
      asked.push(permission)
      return matches(permission)
        ? { isAllowed: true, rule: 'a test allows it' }
        : { isAllowed: false, rule: 'nothing allows it' }
    },
  }
}

function createRun(entry: Entry, changes = {}) {
  const seen: unknown[] = []
  const next: Run = async (call) => {
    seen.push(call.input)
    return { kind: 'complete', result: {} }
  }
  const run = permissionStage.wrap(entry, { ...policy, ...changes }, next)
  const as = (grants: Grants | undefined, input: unknown = {}) => {
    const caller: Caller = { subject: 'key:1', tenant: 't', ...(grants === undefined ? {} : { grants }) }
    return run(createCall(entry, { caller, input }))
  }
  return { as, seen }
}

function entryOf(kind: Target['kind'], id: string): Entry {
  const { target } = createEntry()
  return { id, connection: 'box', target: { ...target, kind, input: jsonSchema({}) } as unknown as Target }
}

describe('the permission of a target', () => {
  it.each([
    ['tool', 'box:echo', 'tool:box:echo'],
    ['task-control', 'box:echo', 'tool:box:echo'],
    ['resource', 'resource:box:file:///a', 'resource:box:file:///a'],
    ['prompt', 'prompt:box:draft', 'prompt:box:draft'],
    ['completion', 'prompt:box:draft', 'prompt:box:draft'],
  ] as const)('D4-021: of a %s is its own, or its owner’s', async (kind, id, permission) => {
    const { as, seen } = createRun(entryOf(kind, id))
    await as(allow(permission))
    expect(seen).toHaveLength(1)
    await expect(as(allow(`${permission}x`))).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      message: `Permission denied: ${permission} (nothing allows it).`,
      data: { permission, rule: 'nothing allows it' },
    })
    expect(seen).toHaveLength(1)
  })

  it('B-129: is refused to a caller without rights, and the target never runs', async () => {
    const { as, seen } = createRun(createEntry())
    await expect(as(undefined)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
    expect(seen).toEqual([])
  })

  it('is refused to everybody where a policy denies it', async () => {
    const { as, seen } = createRun(createEntry(), { isDenied: true })
    await expect(as(everything)).rejects.toMatchObject({
      data: { rule: 'a policy denies it to everybody' },
    })
    expect(seen).toEqual([])
  })

  it('is decided once for all callers of the same rights', async () => {
    const { as, seen } = createRun(createEntry())
    const [may, mayNot] = [allow('tool:*'), allow('prompt:*')]
    for (let turn = 0; turn < 3; turn += 1) {
      await as(may)
      await expect(as(mayNot)).rejects.toThrow()
    }
    expect([may.asked, mayNot.asked]).toEqual([['tool:box:echo'], ['tool:box:echo']])
    expect(seen).toHaveLength(3)
  })

  it('is not needed for a tool whose answers hold only what the caller may use', async () => {
    const { as, seen } = createRun(createEntry({ isForAll: true }))
    await as(allow())
    expect(seen).toHaveLength(1)
    await expect(as(undefined)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
  })
})

describe('a URI that fits a template', () => {
  const template = entryOf('resource-template', 'resource:box:file:///{path}')

  it('is decided by itself, not by its template', async () => {
    const { as, seen } = createRun(template)
    const open = allow('resource:box:file:///open/*')
    await as(open, { uri: 'file:///open/a' })
    await expect(as(open, { uri: 'file:///secret/a' })).rejects.toMatchObject({
      data: { permission: 'resource:box:file:///secret/a' },
    })
    expect(seen).toEqual([{ uri: 'file:///open/a' }])
  })

  it.each([
    'file:///open/../secret/a',
    'file:///open/%2e%2e/secret/a',
    'file:///open/..%2fsecret/a',
    'file:///open/%252e%252e/secret/a',
    'file:///open/%zz',
    'file:///open\\..\\secret',
  ])('D0-122: is refused where it climbs: %s', async (uri) => {
    const { as, seen } = createRun(template)
    await expect(as(allow('resource:box:file:///open*'), { uri })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    })
    expect(seen).toEqual([])
  })

  it('is decided as a server would decode it', async () => {
    const { as, seen } = createRun(template)
    const rights: Grants = {
      decide: (permission) => ({ isAllowed: !permission.includes('secret'), rule: 'no secrets' }),
    }
    await expect(as(rights, { uri: 'file:///%73ecret' })).rejects.toMatchObject({
      data: { rule: 'no secrets' },
    })
    await as(rights, { uri: 'file:///a%20b' })
    await as(everything, { uri: 'file:///../a' })
    expect(seen).toEqual([{ uri: 'file:///a%20b' }, { uri: 'file:///../a' }])
  })

  it.each([undefined, 5, {}, { uri: 1 }])('is refused where there is none: %j', async (input) => {
    const { as, seen } = createRun(template)
    await expect(as(allow('resource:box:file*'), input)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
    expect(seen).toEqual([])
  })
})
