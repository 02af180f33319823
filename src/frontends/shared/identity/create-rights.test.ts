import { describe, expect, it } from 'vitest'
import { createRights, type Role } from './create-rights.ts'

const roles: Record<string, Role> = {
  analyst: { allow: ['tool:database:*', 'resource:files:*'], deny: ['tool:database:execute_update'] },
  writer: { allow: ['tool:database:execute_update', 'prompt:mail:draft'], deny: [], toolset: 'writing' },
  admin: { allow: ['*', 'admin:metrics'], deny: [] },
  all: { allow: ['*'], deny: [] },
}
const rightsOf = createRights(roles)

describe('D4-081: the rights of a caller', () => {
  it.each([
    [['analyst'], 'tool:database:execute_query', true, 'role "analyst" allows tool:database:*'],
    [
      ['analyst'],
      'tool:database:execute_update',
      false,
      'role "analyst" denies tool:database:execute_update',
    ],
    [
      ['writer', 'analyst'],
      'tool:database:execute_update',
      false,
      'role "analyst" denies tool:database:execute_update',
    ],
    [['writer'], 'tool:database:execute_query', false, 'nothing in role "writer" allows it'],
    [['writer'], 'prompt:mail:draft', true, 'role "writer" allows prompt:mail:draft'],
    [['analyst'], 'tool:databases:x', false, 'nothing in role "analyst" allows it'],
    [[], 'tool:database:execute_query', false, 'the caller has no role'],
    [['ghost', '__proto__', 'toString'], 'tool:database:execute_query', false, 'the caller has no role'],
    [['all'], 'prompt:mail:draft', true, 'role "all" allows *'],
    [['all'], 'admin:metrics', false, 'nothing in role "all" allows it'],
    [['admin'], 'admin:metrics', true, 'role "admin" allows admin:metrics'],
    [['admin'], 'admin:approvals', false, 'nothing in role "admin" allows it'],
  ])('%j and %s: %s, because %s', (names, permission, isAllowed, rule) => {
    expect(rightsOf({ roles: names }).decide(permission)).toEqual({ isAllowed, rule })
  })

  it('D4-021: hold what the token itself allows, and never against a role that denies', () => {
    const grants = rightsOf({
      roles: ['analyst'],
      permissions: ['tool:mail:send', 'tool:database:execute_update'],
    })
    expect(grants.decide('tool:mail:send')).toEqual({
      isAllowed: true,
      rule: 'the caller’s token allows tool:mail:send',
    })
    expect(grants.decide('tool:database:execute_update').isAllowed).toBe(false)
  })

  it('D2-090: are narrowed to the scopes that the token names', () => {
    const grants = rightsOf({ roles: ['admin'], scopes: ['mcp:tools', 'openid'] })
    expect(grants.decide('tool:mail:send').isAllowed).toBe(true)
    for (const permission of ['resource:files:file:///a', 'prompt:mail:draft', 'admin:metrics']) {
      expect(grants.decide(permission)).toEqual({
        isAllowed: false,
        rule: 'the token is for mcp:tools only',
      })
    }
    expect(rightsOf({ roles: ['admin'], scopes: ['openid'] }).decide('prompt:a:b').isAllowed).toBe(true)
  })
})

describe('the object', () => {
  it('is one for all callers of the same rights, however they are listed', () => {
    const first = rightsOf({ roles: ['writer', 'analyst', 'ghost'], permissions: ['tool:b', 'tool:a'] })
    const again = rightsOf({ roles: ['analyst', 'writer'], permissions: ['tool:a', 'tool:b', 'tool:a'] })
    expect(again).toBe(first)
    expect(rightsOf({ roles: ['analyst'] })).not.toBe(first)
    expect(first.toolset).toBe('writing')
  })

  it('is kept for the last 1,000 sets of rights, and decides the same after', () => {
    const own = createRights(roles)
    const permissions = (n: number) => ({ roles: [], permissions: [`tool:x:${n}`] })
    const first = own(permissions(0))
    expect(own(permissions(0))).toBe(first)
    for (let n = 1; n <= 1_000; n += 1) own(permissions(n))
    expect(own(permissions(0))).not.toBe(first)
    expect(own(permissions(0)).decide('tool:x:0').isAllowed).toBe(true)
  })

  it('decides the same once it keeps no more decisions', () => {
    const grants = createRights(roles)({ roles: ['analyst'] })
    for (let n = 0; n < 10_001; n += 1) grants.decide(`tool:mail:${n}`)
    expect(grants.decide('tool:database:late').isAllowed).toBe(true)
    expect(grants.decide('tool:mail:late').isAllowed).toBe(false)
  })
})
