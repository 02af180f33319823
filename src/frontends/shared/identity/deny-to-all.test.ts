import { expect, it } from 'vitest'
import { everything } from '../../../core/caller.ts'
import { createDenyToAll } from './deny-to-all.ts'

it('leaves rights the object they are where no policy denies', () => {
  expect(createDenyToAll([])(everything)).toBe(everything)
})

it('takes what policies deny, by id, from every rights, and gives the same object for the same ones', () => {
  const denyToAll = createDenyToAll(['mail:send', 'resource:files:*', 'admin:*'])
  const narrowed = denyToAll(everything)
  const allowed = ['tool:mail:list', 'prompt:mail:send', 'tool:mail:send_all', 'admin:metrics']
  const denied = ['tool:mail:send', 'resource:files:file:///a']
  for (const permission of allowed) expect(narrowed.decide(permission).isAllowed).toBe(true)
  for (const permission of denied) {
    expect(narrowed.decide(permission)).toEqual({ isAllowed: false, rule: 'a policy denies it to everybody' })
  }
  expect(denyToAll(everything)).toBe(narrowed)
  expect(denyToAll({ decide: everything.decide, toolset: 'reading' }).toolset).toBe('reading')
})
