import { hash } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../../core/logger.ts'
import type { ApiKey } from '../../../core/stores.ts'
import { createFakeClock, type FakeClock } from '../../../testing/fake-clock.ts'
import { createRights } from './create-rights.ts'
import { createKeyRing } from './key-ring.ts'

const secretOf = (n: number) => `mcp_${n.toString(16).padStart(64, '0')}`
const stored = (n: number, changed: Partial<ApiKey> = {}): ApiKey => ({
  ...{ hash: hash('sha256', secretOf(n), 'hex'), id: `k${n}`, name: 'x', roles: ['analyst'], tenant: 't' },
  ...{ createdAt: 1, createdBy: 'cli:ada', ...changed },
})

let clock: FakeClock
let keys: ApiKey[]
let reads: number
let failure: Error | undefined
beforeEach(() => {
  clock = createFakeClock()
  keys = [stored(1)]
  reads = 0
  failure = undefined
})

function open(list?: () => Promise<readonly ApiKey[]>) {
  const own = async () => {
    reads += 1
    if (failure !== undefined) throw failure
    return [...keys]
  }
  const rightsOf = createRights({ analyst: { allow: ['tool:database:*'], deny: [] } })
  const callerOf = createKeyRing({ store: { list: list ?? own }, rightsOf, clock, log: silentLogger })
  const codeOf = async (key: string) => {
    try {
      return (await callerOf(key)).subject
    } catch (thrown) {
      return (thrown as { code: string }).code
    }
  }
  return { callerOf, codeOf }
}

describe('D2-091: a key', () => {
  it('makes a caller of its id, tenant and roles, and is known at once after', async () => {
    const { callerOf } = open()
    const caller = await callerOf(secretOf(1))
    expect(caller).toMatchObject({ subject: 'key:k1', tenant: 't' })
    expect(caller.grants!.decide('tool:database:x').isAllowed).toBe(true)
    expect(callerOf(secretOf(1))).toBe(caller)
    expect(reads).toBe(1)
  })

  it.each([
    'mcp_',
    `mcp_${'g'.repeat(64)}`,
    `mcp_${'A'.repeat(64)}`,
    `${secretOf(1)}0`,
    `x${secretOf(1)}`,
  ])('of another form is refused without a look into the store: %s', async (key) => {
    expect(await open().codeOf(key)).toBe('UNAUTHENTICATED')
    expect(reads).toBe(0)
  })

  it('is not the hash of it', async () => {
    expect(await open().codeOf(`mcp_${stored(1).hash}`)).toBe('UNAUTHENTICATED')
  })

  it('R15: that is revoked is refused within 5 s, and one that is new is taken', async () => {
    const { codeOf } = open()
    expect(await codeOf(secretOf(1))).toBe('key:k1')
    keys = [stored(1, { endsAt: clock.now() }), stored(2)]
    await clock.advance(2_000)
    expect([await codeOf(secretOf(1)), await codeOf(secretOf(2))]).toEqual(['UNAUTHENTICATED', 'key:k2'])
  })

  it('R15: that is rotated has two secrets until its grace ends', async () => {
    keys = [stored(1, { endsAt: clock.now() + 1_000 }), stored(2, { id: 'k1' })]
    const { codeOf } = open()
    expect([await codeOf(secretOf(1)), await codeOf(secretOf(2))]).toEqual(['key:k1', 'key:k1'])
    await clock.advance(1_000)
    expect([await codeOf(secretOf(1)), await codeOf(secretOf(2))]).toEqual(['UNAUTHENTICATED', 'key:k1'])
  })

  it('that nobody knows makes the store be read once a second at most', async () => {
    const { codeOf } = open()
    await Promise.all(Array.from({ length: 100 }, (_, n) => codeOf(secretOf(n + 10))))
    expect(reads).toBe(1)
    await clock.advance(1_000)
    await Promise.all(Array.from({ length: 100 }, (_, n) => codeOf(secretOf(n + 10))))
    expect(reads).toBe(2)
  })
})

describe('S1: while the store cannot be read', () => {
  it('keys that were known hold for a minute, and then nobody is let in', async () => {
    const { codeOf } = open()
    expect(await codeOf(secretOf(1))).toBe('key:k1')
    failure = new Error('locked')
    await clock.advance(59_999)
    expect(await codeOf(secretOf(1))).toBe('key:k1')
    expect(await codeOf(secretOf(2))).toBe('IDENTITY_UNAVAILABLE')
    await clock.advance(1_001)
    expect(await codeOf(secretOf(1))).toBe('IDENTITY_UNAVAILABLE')
    failure = undefined
    await clock.advance(1_000)
    expect(await codeOf(secretOf(1))).toBe('key:k1')
  })

  it('from the beginning nobody is let in', async () => {
    failure = new Error('locked')
    expect(await open().codeOf(secretOf(1))).toBe('IDENTITY_UNAVAILABLE')
  })

  it('a store that does not answer is waited for 2 s', async () => {
    const { codeOf } = open(() => new Promise(() => {}))
    const answer = codeOf(secretOf(1))
    await clock.advance(2_000)
    expect(await answer).toBe('IDENTITY_UNAVAILABLE')
  })
})
