import { describe, expect, it, vi } from 'vitest'
import type { Approval } from '../../core/approval.ts'
import { Cancellation } from '../../core/cancellation.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { deadStores } from '../pipeline.fixture.ts'
import { createApprovalDesk } from './approval-desk.ts'

function approvalOf(id: string, state: Approval['state'] = 'pending'): Approval {
  const caller = { tenant: 't', subject: 's' }
  const request = { tool: 'a:b', definitionHash: 'd', digest: id, shown: '{}', caller }
  return { ...request, id, state, createdAt: 0, expiresAt: 1 }
}

function openDesk(find = vi.fn(async (ids: readonly string[]) => ids.map((id) => approvalOf(id)))) {
  const clock = createFakeClock()
  const store = { ...deadStores.approvals, find }
  const desk = createApprovalDesk({ store, clock, onArrival() {}, holdMs: 10_000, expiryMs: 20_000 })
  return { clock, desk, find }
}

describe('S14: calls that wait at the desk', () => {
  it('are asked after together, four times a second while any waits, and not at all else', async () => {
    const { clock, desk, find } = openDesk()
    await clock.advance(5_000)
    expect(find).not.toHaveBeenCalled()
    const held = ['a', 'b', 'b', 'c'].map((id) => desk.hold(approvalOf(id), new Cancellation()))
    await clock.advance(1_000)
    expect(find.mock.calls).toEqual(Array.from({ length: 4 }, () => [['a', 'b', 'c']]))
    await clock.advance(9_000)
    expect((await Promise.all(held)).map(({ state }) => state)).toEqual(Array(4).fill('pending'))
    expect(clock.pendingMs).toEqual([])
  })

  it('are at most a thousand; the next one is told at once that it waits', async () => {
    const { clock, desk } = openDesk()
    let settled = 0
    const count = () => {
      settled += 1
    }
    for (let at = 0; at < 1_000; at += 1) void desk.hold(approvalOf(`${at}`), new Cancellation()).then(count)
    await clock.advance(1)
    expect(settled).toBe(0)
    expect(await desk.hold(approvalOf('one more'), new Cancellation())).toMatchObject({ state: 'pending' })
    desk.close()
    await clock.advance(0)
    expect(settled).toBe(1_000)
  })

  it('are told as expired where their request is gone', async () => {
    const { clock, desk } = openDesk(vi.fn(async () => []))
    const held = desk.hold(approvalOf('a'), new Cancellation())
    await clock.advance(250)
    expect(await held).toMatchObject({ state: 'expired' })
  })
})
