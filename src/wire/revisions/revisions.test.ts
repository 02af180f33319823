import { describe, expect, it } from 'vitest'
import {
  findRevision,
  headerlessLegacy,
  negotiateLegacy,
  newestLegacy,
  newestModern,
  supportedVersions,
} from './index.ts'

const prefix = 'io.modelcontextprotocol/'
const self = { name: 'weir', version: '1' }

describe('the revisions', () => {
  it('are these, newest first', () => {
    expect(supportedVersions).toEqual(['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'])
    expect([newestModern.version, newestLegacy.version, headerlessLegacy.version]).toEqual([
      '2026-07-28',
      '2025-11-25',
      '2025-03-26',
    ])
  })

  it.each([
    ['2026-07-28', 'modern', false],
    ['2025-11-25', 'legacy', false],
    ['2025-06-18', 'legacy', false],
    ['2025-03-26', 'legacy', true],
    ['2024-11-05', 'legacy', true],
  ])('%s is %s; batches: %s', (version, era, batches) => {
    expect(findRevision(version)).toMatchObject({ version, era, batches })
  })

  it.each(['', '2026-07-29', 'constructor', '__proto__'])('%j is none', (version) => {
    expect(findRevision(version)).toBeUndefined()
  })

  it.each([
    ['2024-11-05', '2024-11-05'],
    ['2026-07-28', '2025-11-25'],
    ['nonsense', '2025-11-25'],
    [undefined, '2025-11-25'],
    [{}, '2025-11-25'],
  ])('initialize with %j settles on %s', (requested, version) => {
    expect(negotiateLegacy(requested).version).toBe(version)
  })
})

describe('_meta', () => {
  const meta = {
    [`${prefix}protocolVersion`]: '2026-07-28',
    [`${prefix}clientCapabilities`]: { roots: {} },
    [`${prefix}clientInfo`]: self,
    [`${prefix}logLevel`]: 'info',
    [`${prefix}invented`]: 1,
    progressToken: 0,
    traceparent: '00-1',
  }
  it('of 2026-07-28 gives its sender, and passes on nothing of the protocol’s own', () => {
    expect(newestModern.readMeta({ _meta: meta })).toEqual({
      clientCapabilities: { roots: {} },
      clientInfo: self,
      logLevel: 'info',
      progressToken: 0,
      forward: { traceparent: '00-1' },
    })
  })

  it('of 2026-07-28 comes back through an upstream request of ours', () => {
    const read = newestModern.readMeta({ _meta: meta })
    const sent = newestModern.renderMeta(read, self)
    expect(newestModern.readMeta({ _meta: sent })).toEqual(read)
    expect(sent).not.toHaveProperty(`${prefix}invented`)
  })

  it('of the older revisions is optional, and never throws', () => {
    expect(newestLegacy.readMeta({})).toEqual({ clientCapabilities: {} })
    for (const _meta of [null, 'x', 7])
      expect(newestLegacy.readMeta({ _meta })).toEqual({ clientCapabilities: {} })
    const read = newestLegacy.readMeta({ _meta: { progressToken: 0, traceparent: 't', [`${prefix}x`]: 1 } })
    expect(read).toEqual({ clientCapabilities: {}, progressToken: 0, forward: { traceparent: 't' } })
    expect(newestLegacy.renderMeta(read, self)).toEqual({ progressToken: 0, traceparent: 't' })
    expect(newestLegacy.renderMeta({ clientCapabilities: {} }, self)).toBeUndefined()
  })
})

describe('the members of a result', () => {
  it('are JSON members of 2026-07-28, and none of the older revisions', () => {
    const text = `{"x":1${newestModern.cacheMembers(5, 'private')}${newestModern.resultMembers(self)}}`
    expect(JSON.parse(text)).toEqual({
      x: 1,
      ttlMs: 5,
      cacheScope: 'private',
      resultType: 'complete',
      _meta: { [`${prefix}serverInfo`]: self },
    })
    expect(newestLegacy.resultMembers(self) + newestLegacy.cacheMembers(5, 'public')).toBe('')
  })

  it('are those of the server that is asked for', () => {
    expect(newestModern.resultMembers(self)).toBe(newestModern.resultMembers(self))
    expect(newestModern.resultMembers({ name: 'other', version: '2' })).toContain('"other"')
  })
})
