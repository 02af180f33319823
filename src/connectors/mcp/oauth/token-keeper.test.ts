import { describe, expect, it } from 'vitest'
import { weirItself } from '../../../core/authorisation.ts'
import { Cancellation } from '../../../core/cancellation.ts'
import { WeirError } from '../../../core/error.ts'
import { silentLogger } from '../../../core/logger.ts'
import { createEgress } from '../../../egress/create-egress.ts'
import { createFakeClock } from '../../../testing/fake-clock.ts'
import { failure } from '../fixtures/upstream.fixture.ts'
import { defaultAuth } from './auth-config.ts'
import { CredentialShelf } from './credential-shelf.ts'
import { MemoryCredentials } from './fixtures/memory-credentials.fixture.ts'
import { OAuthHttp } from './oauth-http.ts'
import { TokenKeeper } from './token-keeper.ts'

const server = 'https://mcp.example/mcp'
const issuer = 'https://as.example'
const stop = new Cancellation()

/** A keeper whose store holds one token, and no way out. */
async function createKeeper(more: object = {}) {
  const clock = createFakeClock()
  const store = new MemoryCredentials()
  const shelf = new CredentialShelf(store, 'it', server)
  const egress = createEgress({
    log: silentLogger,
    lookup: (() => expect.fail('No request is due.')) as never,
  })
  const http = new OAuthHttp(egress.client())
  const obtainedAt = clock.now()
  const tokens = {
    server,
    resource: server,
    accessToken: 'first',
    obtainedAt,
    scopes: [],
    requested: ['a'],
    ...more,
  }
  await shelf.put(weirItself, issuer, tokens)
  const parts = { connection: 'it', serverUrl: server, auth: defaultAuth, signingKey: undefined }
  const keeper = new TokenKeeper({ ...parts, http, shelf, clock, log: silentLogger, owner: weirItself })
  return { keeper, store, shelf, clock, tokens }
}

describe('tokens in the store', () => {
  it('R15: that another process changes or takes back are seen within 5 s, and read no oftener than every 4', async () => {
    const { keeper, store, shelf, clock, tokens } = await createKeeper()
    expect(await keeper.header(stop)).toBe('Bearer first')
    await shelf.put(weirItself, issuer, { ...tokens, accessToken: 'second' })
    await clock.advance(4_000)
    expect(keeper.header(stop)).toBe('Bearer first')
    await clock.advance(500)
    expect(await keeper.header(stop)).toBe('Bearer second')
    store.entries.clear()
    await clock.advance(4_500)
    expect(await keeper.header(stop)).toBeUndefined()
  })

  it('R16: hold on while the store is out of order; without any its error is told', async () => {
    const { keeper, store, clock } = await createKeeper()
    expect(await keeper.header(stop)).toBe('Bearer first')
    store.failure = new Error('the disk is gone')
    await clock.advance(60_000)
    expect(await keeper.header(stop)).toBe('Bearer first')
    const { keeper: other, store: broken } = await createKeeper()
    broken.failure = new Error('the disk is gone')
    // A server that wants none serves on; one that does hears nothing, and the caller hears why.
    expect(await other.header(stop)).toBeUndefined()
    await expect(other.renew({ status: 401, headers: {} }, undefined, stop)).rejects.toThrow(
      'the disk is gone',
    )
  })

  it('R18: are not taken for expired when the wall clock jumps back, and cost a renewal at most when it jumps ahead', async () => {
    const { keeper, clock } = await createKeeper({ expiresAt: createFakeClock().now() + 3_600_000 })
    clock.setNow(clock.now() - 3_600_000)
    expect(await keeper.header(stop)).toBe('Bearer first')
    clock.setNow(clock.now() + 7_200_000)
    // Nothing can renew it, so that the server has the last word.
    expect(await keeper.header(stop)).toBe('Bearer first')
  })

  it.each([
    ['that are no JSON', '{'],
    ['of another form', '{"server":"https://mcp.example/mcp"}'],
    ['with a token that no header holds', JSON.stringify({ server, accessToken: 'a\r\nb: c' })],
  ])('%s count as absent', async (_, value) => {
    const { keeper, store } = await createKeeper()
    for (const [name, entry] of store.entries) store.entries.set(name, { ...entry, value })
    expect(await keeper.header(stop)).toBeUndefined()
  })
})

describe('a refusal', () => {
  it('of the scopes of one call does not fail another call that needs something else', async () => {
    const { keeper, shelf, tokens } = await createKeeper()
    const used = await keeper.header(stop)
    const challenge = { 'www-authenticate': 'Bearer error="insufficient_scope", scope="b"' }
    const error = await failure(keeper.renew({ status: 403, headers: challenge }, used, stop))
    expect(error.hint).toBe('Run `weir auth it --scope b` on the machine where Weir runs.')
    await shelf.put(weirItself, issuer, { ...tokens, accessToken: 'second' })
    await keeper.renew({ status: 401, headers: {} }, used, stop)
    expect(keeper.header(stop)).toBe('Bearer second')
  })

  it.each([
    "a$(rm -rf /)'b",
    '`id`',
    'a;b',
  ])('with the scope %s gives a command that is safe to paste', async (scope) => {
    const { keeper } = await createKeeper()
    const used = await keeper.header(stop)
    const challenge = {
      'www-authenticate': `Bearer error="insufficient_scope", scope="${scope.replaceAll(' ', '_')}"`,
    }
    const { hint = '' } = await failure(keeper.renew({ status: 403, headers: challenge }, used, stop))
    const [, quoted] = /--scope ('(?:[^']|'\\'')*')`? on/.exec(hint) ?? []
    expect(quoted?.replaceAll(String.raw`'\''`, "'").slice(1, -1)).toBe(scope.replaceAll(' ', '_'))
  })

  it('that has nothing to do with the token is not one of it', async () => {
    const { keeper } = await createKeeper()
    const of = (status: number, header?: string) =>
      keeper.isRefusal({ status, headers: header === undefined ? {} : { 'www-authenticate': header } })
    expect([of(401), of(403), of(403, 'Bearer error="invalid_request"'), of(404), of(200)]).toEqual([
      true,
      ...[false, false, false, false],
    ])
    expect(of(403, 'Bearer error="insufficient_scope"')).toBe(true)
  })

  it('is not waited for by a call that was cancelled', async () => {
    const { keeper } = await createKeeper()
    const cancelled = new Cancellation()
    const waiting = Promise.resolve(keeper.header(cancelled))
    cancelled.cancel(new WeirError('CANCELLED', 'The caller left.'))
    expect((await failure(waiting)).code).toBe('CANCELLED')
  })
})
