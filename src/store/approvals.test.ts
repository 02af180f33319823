import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ApprovalRequest, ApprovalStore, Verdict } from '../core/approval.ts'
import { createFakeClock, type FakeClock } from '../testing/fake-clock.ts'
import { makeFolder, openIn } from './store.fixture.ts'

const hourMs = 60 * 60_000
const ada = { tenant: 'default', subject: 'local:ada' }
const yes: Verdict = { decision: 'approved', by: { tenant: '', subject: 'operator:grace' } }
const no: Verdict = { ...yes, decision: 'denied', reason: 'Not on a Friday.' }

function wish(changed: Partial<ApprovalRequest> = {}): ApprovalRequest {
  return { tool: 'mail:send', definitionHash: 'd', digest: 'a', shown: '{}', caller: ada, ...changed }
}

async function openApprovals(folder = makeFolder(), clock: FakeClock = createFakeClock()) {
  const { approvals } = await openIn(folder, { clock })
  const ask = async (changed: Partial<ApprovalRequest> = {}) =>
    (await approvals.open(wish(changed), clock.now() + hourMs))!
  const stateOf = async (id: string) => (await approvals.find([id]))[0]?.state
  return { approvals, clock, ask, stateOf, folder }
}

describe('S14: approvals in the store', () => {
  it('are one for the same call, and another for any that differs', async () => {
    const { ask } = await openApprovals()
    const first = await ask()
    expect(first).toMatchObject({ ...wish(), state: 'pending' })
    expect(first.id).toMatch(/^[0-9a-f]{32}$/)
    expect((await ask()).id).toBe(first.id)
    const others = [
      { digest: 'b' },
      { tool: 'mail:draft' },
      { definitionHash: 'e' },
      { caller: { ...ada, tenant: 'other' } },
      { caller: { ...ada, subject: 'local:eve' } },
    ]
    const ids = await Promise.all(others.map(async (changed) => (await ask(changed)).id))
    expect(new Set([first.id, ...ids]).size).toBe(6)
  })

  it('are used exactly once, by whoever is first of two processes', async () => {
    const one = await openApprovals()
    const two = await openApprovals(one.folder)
    const { id } = await one.ask()
    expect(await one.approvals.use(id)).toBe(false)
    expect(await two.approvals.decide(id, yes)).toBe(true)
    const tries = [one, two].flatMap(({ approvals }) => [approvals.use(id), approvals.use(id)])
    expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1)
    expect(await one.stateOf(id)).toBe('used')
    expect((await one.ask()).id).not.toBe(id)
  })

  it('are decided exactly once, however often somebody clicks', async () => {
    const { approvals, ask } = await openApprovals()
    const { id } = await ask()
    const won = await Promise.all([yes, no, yes, no].map((verdict) => approvals.decide(id, verdict)))
    expect(won).toEqual([true, false, false, false])
    expect((await approvals.find([id]))[0]).toMatchObject({ state: 'approved', decidedBy: 'operator:grace' })
    expect(await approvals.decide('no-such-id', yes)).toBe(false)
  })

  it('are never decided by their requester', async () => {
    const { approvals, ask, stateOf } = await openApprovals()
    const { id } = await ask()
    expect(await approvals.decide(id, { decision: 'approved', by: ada })).toBe(false)
    expect(await stateOf(id)).toBe('pending')
    // The same name in another realm is somebody else.
    expect(await approvals.decide(id, { decision: 'approved', by: { ...ada, tenant: 'x' } })).toBe(true)
  })

  it('expire, before they are decided and after', async () => {
    const { approvals, clock, ask, stateOf } = await openApprovals()
    const [pending, approved] = [await ask(), await ask({ digest: 'b' })]
    await approvals.decide(approved.id, yes)
    await clock.advance(hourMs - 1)
    expect(await stateOf(approved.id)).toBe('approved')
    await clock.advance(1)
    expect(await approvals.decide(pending.id, yes)).toBe(false)
    expect(await approvals.use(approved.id)).toBe(false)
    expect([await stateOf(pending.id), await stateOf(approved.id)]).toEqual(['expired', 'expired'])
    expect((await approvals.list('expired')).map(({ id }) => id).sort()).toEqual(
      [pending.id, approved.id].sort(),
    )
  })

  it('tell their requester of the denial once, and begin anew', async () => {
    const { approvals, ask } = await openApprovals()
    const { id } = await ask()
    await approvals.dismiss(id)
    await approvals.decide(id, no)
    expect(await ask()).toMatchObject({ id, state: 'denied', reason: 'Not on a Friday.' })
    await approvals.dismiss(id)
    expect(await ask()).toMatchObject({ state: 'pending' })
  })

  it('are bounded for each caller and in all, and what is decided makes room', async () => {
    const { approvals, ask } = await openApprovals()
    const own = []
    for (let at = 0; at < 20; at += 1) own.push(await ask({ digest: `own ${at}` }))
    expect(await ask({ digest: 'own 21' })).toBeUndefined()
    expect((await ask({ digest: 'own 3' })).id).toBe(own[3]!.id)
    await approvals.decide(own[0]!.id, no)
    expect(await ask({ digest: 'own 21' })).toBeDefined()
    const others = Array.from({ length: 980 }, (_, at) =>
      ask({ digest: `${at}`, caller: { ...ada, subject: `s${at % 70}` } }),
    )
    expect((await Promise.all(others)).every(Boolean)).toBe(true)
    expect(await ask({ caller: { ...ada, subject: 'late' } })).toBeUndefined()
  })

  it('are forgotten a week after their end', async () => {
    const { approvals, clock, ask } = await openApprovals()
    const { id } = await ask()
    const noteMany = async () => {
      for (let at = 0; at < 64; at += 1) await approvals.note(wish(), no)
    }
    await clock.advance(7 * 24 * hourMs + hourMs)
    await noteMany()
    expect(await approvals.find([id])).toHaveLength(1)
    await clock.advance(1)
    await noteMany()
    expect(await approvals.find([id, 'none'])).toEqual([])
  })

  it('are kept up to a number, what waits in any case', async () => {
    const folder = makeFolder()
    const { approvals, ask } = await openApprovals(folder)
    const { id } = await ask()
    const note = () => approvals.note(wish({ digest: 'b' }), no)
    for (let at = 0; at < 11_000; at += 500) await Promise.all(Array.from({ length: 500 }, note))
    const { DatabaseSync } = await import('node:sqlite')
    const file = new DatabaseSync(join(folder, 'weir.db'))
    const { n } = file.prepare('select count(*) as n from approvals').get()!
    file.close()
    expect(Number(n)).toBeLessThanOrEqual(10_001 + 500)
    expect(Number(n)).toBeGreaterThan(9_999)
    expect(await approvals.find([id])).toHaveLength(1)
  }, 60_000)

  it('are there after a restart, and large ones never', async () => {
    const first = await openApprovals()
    const { id } = await first.ask()
    const second = await openApprovals(first.folder)
    expect(await second.stateOf(id)).toBe('pending')
    const large: Promise<unknown>[] = [
      first.ask({ shown: 'x'.repeat(64 * 1024 + 1) }),
      first.ask({ tool: 'x'.repeat(9_000) }),
      first.approvals.decide(id, { ...no, reason: 'x'.repeat(9_000) }),
    ]
    for (const each of large) await expect(each).rejects.toMatchObject({ code: 'STORE_VALUE_TOO_LARGE' })
  })

  it('note who said yes or no on the spot', async () => {
    const { approvals, ask } = await openApprovals()
    const by = { tenant: '', subject: 'client' }
    const note = (decision: 'approved' | 'denied'): ReturnType<ApprovalStore['note']> =>
      approvals.note(wish(), { decision, by })
    expect(await note('approved')).toMatchObject({ state: 'used', decidedBy: 'client' })
    const denied = await note('denied')
    expect(denied).toMatchObject({ state: 'denied' })
    expect(await approvals.use(denied.id)).toBe(false)
    expect((await ask()).id).not.toBe(denied.id)
    expect((await approvals.list()).map(({ state }) => state).sort()).toEqual(['denied', 'pending', 'used'])
  })
})
