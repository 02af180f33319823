import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFakeClock, type FakeClock } from '../testing/fake-clock.ts'
import { makeFolder, openIn } from './store.fixture.ts'

const dayMs = 24 * 60 * 60_000
const key = { tenant: 'default', subject: 'local:ada', key: 'k' }
const call = { tool: 'mail:send', digest: 'a' }

async function openKeys(folder = makeFolder(), clock: FakeClock = createFakeClock()) {
  const { idempotency } = await openIn(folder, { clock })
  return { keys: idempotency, clock, folder }
}

describe('R2: idempotency keys in the store', () => {
  it('are taken by exactly one of two processes', async () => {
    const one = await openKeys()
    const two = await openKeys(one.folder)
    const tries = Array.from({ length: 20 }, (_, at) =>
      [one, two][at % 2]!.keys.reserve(key, call, { token: `t${at}`, lostAt: 5 }),
    )
    const taken = await Promise.all(tries)
    expect(taken.filter((each) => each === undefined)).toHaveLength(1)
    expect(taken.find((each) => each !== undefined)).toEqual({ ...call, state: 'running', lostAt: 5 })
  })

  it('are a caller’s own', async () => {
    const { keys } = await openKeys()
    const reserve = (changed: object) => keys.reserve({ ...key, ...changed }, call, { token: 't', lostAt: 0 })
    const given = [{}, { tenant: 'x' }, { subject: 'local:eve' }, { key: 'l' }]
    expect(await Promise.all(given.map(reserve))).toEqual([undefined, undefined, undefined, undefined])
  })

  it('keep how their call ended, for a day, and hear only whoever took them', async () => {
    const { keys, clock } = await openKeys()
    const again = (token: string) => keys.reserve(key, call, { token, lostAt: 9 })
    await again('mine')
    await keys.finish(key, 'another', '"forged"')
    await keys.release(key, 'another')
    expect(await again('b')).toMatchObject({ state: 'running' })
    await keys.finish(key, 'mine', '"done"')
    await keys.release(key, 'mine')
    expect(await again('b')).toMatchObject({ state: 'done', outcome: '"done"' })
    await clock.advance(dayMs - 1)
    expect(await again('b')).toMatchObject({ state: 'done' })
    await clock.advance(1)
    expect(await again('b')).toBeUndefined()
    await keys.finish(key, 'b', undefined)
    const { outcome, state } = (await again('c'))!
    expect([state, outcome]).toEqual(['done', undefined])
  })

  it('are free again once they are released', async () => {
    const { keys } = await openKeys()
    await keys.reserve(key, call, { token: 'a', lostAt: 0 })
    await keys.release(key, 'a')
    expect(await keys.reserve(key, call, { token: 'b', lostAt: 0 })).toBeUndefined()
  })

  it('are bounded in number, and make room a day later', async () => {
    const { keys, folder, clock } = await openKeys()
    const reserve = (name: string) => keys.reserve({ ...key, key: name }, call, { token: 't', lostAt: 0 })
    await reserve('mine')
    const { DatabaseSync } = await import('node:sqlite')
    const file = new DatabaseSync(join(folder, 'weir.db'))
    file.exec(`with recursive n(i) as (select 1 union all select i + 1 from n where i < 99999)
      insert into idempotency_keys
      select 'default', 'local:eve', i, 'a:b', 'd', 'done', 't', null, 0, ${clock.now() + dayMs} from n`)
    file.close()
    // It is counted once in so many.
    const tries = Array.from({ length: 300 }, (_, at) => reserve(`${at}`).catch(({ code }) => code))
    expect((await Promise.all(tries)).at(-1)).toBe('OVERLOADED')
    await expect(reserve('late')).rejects.toMatchObject({ code: 'OVERLOADED' })
    await clock.advance(dayMs)
    expect(await reserve('late')).toBeUndefined()
  })

  it('are bounded in length', async () => {
    const { keys } = await openKeys()
    const long = keys.reserve({ ...key, key: 'x'.repeat(9_000) }, call, { token: 'a', lostAt: 0 })
    await expect(long).rejects.toMatchObject({ code: 'STORE_VALUE_TOO_LARGE' })
  })
})
