import { describe, expect, it } from 'vitest'
import type { Tool } from '../core/tool.ts'
import { createEntry } from './call.fixture.ts'
import { createPolicyResolver, type PolicyRule } from './resolve-policy.ts'

const timeoutOf = (rules: Record<string, PolicyRule>, name = 'echo', tool: Partial<Tool> = {}) =>
  createPolicyResolver(rules)(createEntry({ name, ...tool })).timeoutMs

describe('the policy of a tool', () => {
  it('C-05, C-06, C-07: is 30 s, three attempts, a breaker and a bulkhead without a rule, and nothing else', () => {
    expect(createPolicyResolver({})(createEntry())).toEqual({
      timeoutMs: 30_000,
      retry: { attemptsMax: 3, delayMs: 1_000, delayMsMax: 60_000 },
      breaker: { failures: 5, recoveryMs: 60_000, successes: 2 },
      bulkhead: { runningMax: 64, waitingMax: 256 },
    })
  })

  it('leaves out what a rule turns off', () => {
    const off = { retry: false, breaker: false, bulkhead: false } as const
    expect(createPolicyResolver({ '*': off })(createEntry())).toEqual({ timeoutMs: 30_000 })
  })

  it('denies and asks for confirmation where any rule does, the mildest one too, and the strictest asks', () => {
    const rules: Record<string, PolicyRule> = {
      '*': { isDenied: true, confirm: 'operator' },
      'box:echo': { timeoutMs: 1, confirm: 'client' },
    }
    expect(createPolicyResolver(rules)(createEntry())).toMatchObject({ isDenied: true, confirm: 'operator' })
  })

  it('D4-010: takes over what the tool declares, and a rule may set another limit, not another confirmation', () => {
    const declared: Partial<Tool> = { confirm: true, rateLimit: '10/hour' }
    expect(createPolicyResolver({})(createEntry(declared))).toMatchObject({
      confirm: 'operator',
      rateLimits: [{ limit: '10/hour', per: 'caller' }],
    })
    const rules: Record<string, PolicyRule> = { '*': { confirm: 'client', rateLimits: false } }
    const policy = createPolicyResolver(rules)(createEntry(declared))
    expect(policy.confirm).toBe('operator')
    expect(policy).not.toHaveProperty('rateLimits')
  })

  it('is the tool’s own where it has one and no rule is for it', () => {
    expect(timeoutOf({ 'other:*': { timeoutMs: 1 } }, 'echo', { timeoutMs: 300_000 })).toBe(300_000)
    expect(timeoutOf({ 'box:*': { timeoutMs: 1 } }, 'echo', { timeoutMs: 300_000 })).toBe(1)
  })

  it('is that of the exact id before any pattern, whatever their order', () => {
    const rules = { 'box:ech*': { timeoutMs: 2 }, 'box:echo': { timeoutMs: 1 }, 'box:*': { timeoutMs: 3 } }
    expect(timeoutOf(rules)).toBe(1)
    expect(timeoutOf(Object.fromEntries(Object.entries(rules).reverse()))).toBe(1)
  })

  it('is that of the pattern with more letters of its own', () => {
    const rules = {
      '*': { timeoutMs: 4 },
      '*:echo': { timeoutMs: 2 },
      'box:*': { timeoutMs: 3 },
      '*ox:ech*': { timeoutMs: 1 },
    }
    expect(timeoutOf(rules)).toBe(1)
    expect(timeoutOf(rules, 'other')).toBe(3)
  })

  it('is that of the first in the file where two patterns weigh the same', () => {
    expect(timeoutOf({ 'box:ec*': { timeoutMs: 1 }, 'box:*ho': { timeoutMs: 2 } })).toBe(1)
    expect(timeoutOf({ 'box:*ho': { timeoutMs: 2 }, 'box:ec*': { timeoutMs: 1 } })).toBe(2)
  })

  it('takes each field from the most exact rule that sets it', () => {
    expect(timeoutOf({ 'box:echo': {}, 'box:*': { timeoutMs: 7 } })).toBe(7)
  })

  it('takes everything but * at its word', () => {
    expect(timeoutOf({ 'box:e.ho': { timeoutMs: 1 } })).toBe(30_000)
    expect(timeoutOf({ 'box:e?h*': { timeoutMs: 1 } })).toBe(30_000)
    expect(timeoutOf({ 'box:a[1].b*': { timeoutMs: 1 } }, 'a[1].bc')).toBe(1)
  })
})
