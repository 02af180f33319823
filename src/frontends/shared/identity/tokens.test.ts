import { createHmac } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Caller } from '../../../core/caller.ts'
import { silentLogger } from '../../../core/logger.ts'
import { createEgress } from '../../../egress/create-egress.ts'
import type { Egress } from '../../../egress/egress.ts'
import { createMetrics } from '../../../telemetry/metrics.ts'
import { createFakeClock, type FakeClock } from '../../../testing/fake-clock.ts'
import { type AuthRules, createIdentity, type IssuerRules } from './identity.ts'
import { createPair, type KeyServer, serveKeys, signToken, type TokenClaims } from './issuer.fixture.ts'

const [first, second] = [createPair('first'), createPair('second')]
const nowS = 1_800_000_000
const secret = '8f1c0d9ab34e7726518fd0a3cc0e94b2'
const rules = {
  ...{ name: 'corp', issuer: 'https://id.example', audience: 'weir', algorithms: ['RS256'] },
  ...{ subjectClaim: 'sub', rolesClaim: 'roles', roles: [], tenant: 'default' },
}
const roles = {
  analyst: { allow: ['tool:database:*'], deny: [] },
  base: { allow: ['tool:echo:*'], deny: [] },
}

let server: KeyServer
let egress: Egress
let clock: FakeClock
beforeAll(async () => {
  server = await serveKeys([first])
})
afterAll(() => server.close())
beforeEach(() => {
  server.publish([first])
  clock = createFakeClock()
  clock.setNow(nowS * 1_000)
  egress = createEgress({ log: silentLogger })
})
afterEach(() => egress.close())

function open(changed: Partial<IssuerRules> = {}) {
  const key = { jwksUrl: server.url, allowPrivate: true }
  const auth: AuthRules = { apiKeys: false, jwt: [{ ...rules, key, ...changed }] }
  const keys = { list: () => Promise.reject(new Error('never asked')) }
  const { door } = createIdentity({
    ...{
      auth,
      roles,
      user: 'ada',
      denied: [],
      publicUrl: undefined,
      keys,
      egress,
      clock,
      log: silentLogger,
      metrics: createMetrics(),
    },
  })
  return (token: string) => door.authenticate({ headers: { authorization: `Bearer ${token}` } })
}
const claims = (changed: TokenClaims = {}): TokenClaims => ({
  ...{ iss: rules.issuer, aud: 'weir', sub: 'bob', exp: nowS + 600, ...changed },
})
const sign = (changed: TokenClaims = {}, header: object = {}, pair = first) =>
  signToken(pair.privateKey, claims(changed), { kid: pair.kid, ...header })
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

async function refusal(attempt: () => Caller | Promise<Caller>): Promise<unknown> {
  try {
    return await attempt()
  } catch (thrown) {
    const { code, message } = thrown as { code: string; message: string }
    return [code, message]
  }
}
const refused = (message: string) => ['UNAUTHENTICATED', expect.stringContaining(message)]

describe('a token that holds', () => {
  it('D2-090: makes a caller of its subject, tenant and roles', async () => {
    const authenticate = open({ tenantClaim: 'org', roles: ['base'], rolesClaim: 'realm_access.roles' })
    const caller = await authenticate(await sign({ org: 'acme', realm_access: { roles: ['analyst'] } }))
    expect(caller).toMatchObject({ subject: 'jwt:corp:bob', tenant: 'acme' })
    const decide = (permission: string) => caller.grants!.decide(permission).isAllowed
    expect([decide('tool:database:x'), decide('tool:echo:x'), decide('tool:mail:x')]).toEqual([
      true,
      true,
      false,
    ])
    expect(Object.isFrozen(caller)).toBe(true)
  })

  it('D4-020: may be signed by a shared secret, and list permissions itself', async () => {
    const shared = { key: { secret }, algorithms: ['HS256'], subjectClaim: 'user_id' }
    const authenticate = open({ ...shared, permissionsClaim: 'permissions' })
    const permissions = ['tool:mail:send']
    const token = await signToken(Buffer.from(secret), claims({ user_id: 42, permissions }), { alg: 'HS256' })
    const caller = await authenticate(token)
    expect(caller.subject).toBe('jwt:corp:42')
    expect(caller.grants!.decide('tool:mail:send').isAllowed).toBe(true)
    expect(caller.grants!.decide('tool:mail:drop').isAllowed).toBe(false)
  })

  it('costs one verification, and is known at once after', async () => {
    const authenticate = open()
    const token = await sign()
    const caller = await authenticate(token)
    expect(authenticate(token)).toBe(caller)
    await clock.advance(300_001)
    expect(authenticate(token)).toBeInstanceOf(Promise)
  })

  it('D2-090: is for what its scopes name', async () => {
    const caller = await open({ roles: ['base'] })(await sign({ scope: 'openid mcp:prompts' }))
    expect(caller.grants!.decide('tool:echo:x')).toMatchObject({
      rule: 'the token is for mcp:prompts only',
    })
  })
})

describe('S4: a token is refused', () => {
  it.each<[string, TokenClaims, string]>([
    ['that has expired', { exp: nowS - 61 }, 'Token expired'],
    ['without an end', { exp: null }, '"exp"'],
    ['of another audience', { aud: 'other' }, '"aud"'],
    ['of no audience', { aud: null }, '"aud"'],
    ['of another issuer', { iss: 'https://evil.example' }, 'no issuer that is known'],
    ['of no issuer', { iss: null }, 'no issuer that is known'],
    ['that is not valid yet', { nbf: nowS + 61 }, '"nbf"'],
    ['that names nobody', { sub: null }, '"sub"'],
    ['whose subject is empty', { sub: '' }, '"sub"'],
    ['whose subject is no text', { sub: { a: 1 } }, '"sub"'],
    ['whose subject hides something', { sub: 'bob\u0000' }, '"sub"'],
    ['whose subject is too long', { sub: 'x'.repeat(257) }, '"sub"'],
    ['whose roles are too many', { roles: Array(1_001).fill('a') }, '"roles"'],
  ])('%s', async (_what, changed, message) => {
    const token = await sign(changed)
    expect(await refusal(() => open()(token))).toEqual(refused(message))
  })

  it.each<[string, object, string]>([
    ['with jku', { jku: 'https://evil.example/keys' }, '"jku"'],
    ['with a key of its own', { jwk: first.publicKey.export({ format: 'jwk' }) }, '"jwk"'],
    ['with x5u', { x5u: 'https://evil.example/cert' }, '"x5u"'],
    ['with crit', { crit: ['x'], x: 1 }, '"crit"'],
    ['for logging out', { typ: 'logout+jwt' }, 'not for calling'],
    ['of another signature', { alg: 'PS256' }, 'kind that is not taken'],
    ['with a key that is not published', { kid: 'ghost' }, 'no such key'],
  ])('%s', async (_what, header, message) => {
    const token = await sign({}, header)
    expect(await refusal(() => open()(token))).toEqual(refused(message))
  })

  it('with alg none', async () => {
    const token = `${part({ alg: 'none' })}.${part(claims())}.`
    expect(await refusal(() => open()(token))).toEqual(refused('kind that is not taken'))
  })

  it.each([
    ['RS256'],
    ['RS256', 'HS256'],
  ])('signed by HMAC with the public key, for %s, %s', async (...algorithms) => {
    const pem = first.publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const text = `${part({ alg: 'HS256', kid: 'first' })}.${part(claims())}`
    const token = `${text}.${createHmac('sha256', pem).update(text).digest('base64url')}`
    for (const key of [{ publicKey: pem }, { jwksUrl: server.url, allowPrivate: true }]) {
      expect(await refusal(() => open({ key, algorithms })(token))).toEqual([
        'UNAUTHENTICATED',
        expect.any(String),
      ])
    }
  })

  it('whose signature is of another key, or of another text', async () => {
    const forged = await sign({}, { kid: 'first' }, second)
    const [header, , signature] = (await sign()).split('.')
    const changed = `${header}.${part(claims({ sub: 'admin' }))}.${signature}`
    for (const token of [forged, changed]) {
      expect(await refusal(() => open()(token))).toEqual(refused('signature does not hold'))
    }
  })

  it.each([
    'junk',
    'a.b.c',
    `${part({ alg: 'RS256' })}.bm8.x`,
    '..',
    `mcp_${'a'.repeat(64)}`,
  ])('that is none: %s', async (token) => {
    expect(await refusal(() => open()(token))).toEqual(['UNAUTHENTICATED', expect.any(String)])
  })

  it('without its tenant, where tenants are told apart', async () => {
    const token = await sign()
    expect(await refusal(() => open({ tenantClaim: 'org' })(token))).toEqual(refused('"org"'))
  })
})

describe('time', () => {
  it('R18: clocks may be 60 s apart and no more', async () => {
    const authenticate = open()
    const late = await sign({ exp: nowS - 59 })
    expect(await authenticate(late)).toMatchObject({ subject: 'jwt:corp:bob' })
    clock.setNow((nowS + 2) * 1_000)
    expect(await refusal(() => authenticate(late))).toEqual(refused('Token expired'))
  })

  it('R18: a token that is known ends when it says so, though its clock is set back and forth', async () => {
    const authenticate = open()
    const token = await sign({ exp: nowS + 30 })
    await authenticate(token)
    clock.setNow((nowS + 91) * 1_000)
    expect(await refusal(async () => authenticate(token))).toEqual(refused('Token expired'))
  })
})

describe('keys of an issuer', () => {
  it('R15: are followed when they are rotated, with both alive and no call refused', async () => {
    const authenticate = open()
    const reads = server.reads
    await authenticate(await sign())
    await clock.advance(30_000)
    server.publish([first, second])
    expect(await authenticate(await sign({ sub: 'new' }, {}, second))).toMatchObject({
      subject: 'jwt:corp:new',
    })
    expect(await authenticate(await sign({ sub: 'old' }))).toMatchObject({ subject: 'jwt:corp:old' })
    await clock.advance(3_600_000)
    clock.setNow(nowS * 1_000)
    server.publish([second])
    expect(await refusal(() => sign({ sub: 'x' }).then(authenticate))).toEqual(refused('no such key'))
    expect(server.reads - reads).toBe(3)
  })

  it('S4: are read once in 30 s, however many tokens name keys that are not there', async () => {
    const authenticate = open()
    const reads = server.reads
    const flood = async () => {
      const tokens = await Promise.all(Array.from({ length: 50 }, (_, n) => sign({}, { kid: `ghost-${n}` })))
      await Promise.all(tokens.map((token) => refusal(() => authenticate(token))))
    }
    await flood()
    expect(server.reads - reads).toBe(1)
    await clock.advance(29_999)
    await flood()
    expect(server.reads - reads).toBe(1)
    await clock.advance(1)
    await flood()
    expect(server.reads - reads).toBe(2)
  })

  it('are used for one more hour while the issuer is down, and then nobody is let in', async () => {
    const authenticate = open()
    await authenticate(await sign())
    server.publish(undefined)
    await clock.advance(7_199_000)
    clock.setNow(nowS * 1_000)
    expect(await authenticate(await sign({ sub: 'a' }))).toMatchObject({ subject: 'jwt:corp:a' })
    await clock.advance(10_000)
    clock.setNow(nowS * 1_000)
    const token = await sign({ sub: 'b' })
    expect(await refusal(() => authenticate(token))).toEqual(['IDENTITY_UNAVAILABLE', expect.any(String)])
    server.publish([first])
    await clock.advance(5_000)
    clock.setNow(nowS * 1_000)
    expect(await authenticate(token)).toMatchObject({ subject: 'jwt:corp:b' })
  })

  it('S10: are read only from where the configuration allows', async () => {
    const reads = server.reads
    const token = await sign()
    expect(await refusal(() => open({ key: { jwksUrl: server.url } })(token))).toEqual([
      'IDENTITY_UNAVAILABLE',
      expect.any(String),
    ])
    expect(server.reads).toBe(reads)
  })
})
