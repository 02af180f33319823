import { describe, expect, it } from 'vitest'
import type { Tool } from '../core/tool.ts'
import { createEntry } from './call.fixture.ts'
import { createPolicyResolver, type PolicyRule } from './resolve-policy.ts'

const timeoutOf = (rules: Record<string, PolicyRule>, name = 'echo', tool: Partial<Tool> = {}) =>
  createPolicyResolver(rules)(createEntry({ name, ...tool })).timeoutMs

describe('the policy of a tool', () => {
  it('C-07: is 30 s without a rule', () => {
    expect(createPolicyResolver({})(createEntry())).toEqual({ timeoutMs: 30_000 })
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
