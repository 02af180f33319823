import { describe, expect, it, vi } from 'vitest'
import { WeirError } from '../../core/error.ts'
import { InputRequired } from '../../core/outcome.ts'
import { deadStores } from '../pipeline.fixture.ts'
import { ada, createGuarded, holdMs, hourMs, no, yes } from './confirm.fixture.ts'

const done = { kind: 'complete', result: { structuredContent: { number: 1 } } }
const denied = { kind: 'failed', error: { code: 'CONFIRMATION_DENIED' } }
const unreachable = { kind: 'failed', error: { code: 'STORE_UNAVAILABLE' } }

describe('S14: a call that an operator has to approve', () => {
  it('is held, and runs at once when somebody here approves', async () => {
    const { start, waiting, desk, effects, arrivals } = await createGuarded()
    const { ended } = start({ to: 'bob', password: 'x', note: 'canary' })
    const approval = await waiting()
    expect(arrivals).toEqual([approval])
    expect(approval).toMatchObject({ tool: 'box:echo', caller: { subject: ada.subject, tenant: ada.tenant } })
    expect(JSON.parse(approval.shown)).toEqual({ to: 'bob', password: '[redacted]', note: '***' })
    expect(effects).toEqual([])
    await desk.decide(approval.id, yes)
    expect(await ended).toEqual(done)
    expect(effects).toEqual([{ to: 'bob', password: 'x', note: 'canary' }])
  })

  it('learns of another process’s decision from the store, within a quarter of a second', async () => {
    const { waiting, stores, clock, state } = await startOne()
    await stores.approvals.decide((await waiting()).id, yes)
    await clock.advance(249)
    expect(state).toEqual({})
    await clock.advance(1)
    await vi.waitFor(() => expect(state.outcome).toEqual(done))
  })

  it('R13, D4-017: answers `pending` after the hold, and the same call collects the decision, once', async () => {
    const { start, waiting, desk, clock, effects } = await createGuarded()
    const first = start()
    const { id, expiresAt } = await waiting()
    await clock.advance(holdMs - 1)
    expect(first.state).toEqual({})
    await clock.advance(1)
    const pending = { tool: 'box:echo', approvalId: id, expiresAt: new Date(expiresAt).toISOString() }
    expect(await first.ended).toEqual({ kind: 'pending', pending })
    await desk.decide(id, yes)
    expect(await start().ended).toEqual(done)
    const third = start()
    expect((await waiting()).id).not.toBe(id)
    expect([effects.length, third.state]).toEqual([1, {}])
  })

  it('is denied with the reason; the next one asks anew', async () => {
    const { start, waiting, desk, effects } = await createGuarded()
    const held = start()
    const { id } = await waiting()
    await desk.decide(id, no)
    const outcome = await held.ended
    expect(outcome).toMatchObject(denied)
    expect(outcome).toMatchObject({ error: { message: 'box:echo was not approved: Not today.' } })
    start()
    expect((await waiting()).id).not.toBe(id)
    expect(effects).toEqual([])
  })

  it('does not lose its own time while a person decides', async () => {
    const slow = () => new Promise<never>(() => {})
    const { start, waiting, desk, clock } = await createGuarded({
      tool: { run: slow },
      policy: { timeoutMs: 1_000 },
    })
    const { state } = start()
    const { id } = await waiting()
    await clock.advance(50_000)
    expect(state).toEqual({})
    await desk.decide(id, yes)
    await clock.advance(990)
    expect(state).toEqual({})
    await clock.advance(50)
    expect(state.outcome).toMatchObject({ error: { code: 'OUTCOME_UNKNOWN' } })
  })

  it('stops when its client leaves, and leaves no timer behind', async () => {
    const { start, waiting, clock, effects, desk } = await createGuarded()
    const { ended, cancellation } = start()
    const { id } = await waiting()
    cancellation.cancel(new WeirError('CANCELLED', 'The client left.'))
    expect(await ended).toMatchObject({ error: { code: 'CANCELLED' } })
    await desk.decide(id, yes)
    await clock.advance(1_000)
    expect([effects, clock.pendingMs]).toEqual([[], []])
  })

  it('R13: answers `pending` when Weir stops, and those that come after do not wait', async () => {
    const { start, waiting, desk } = await createGuarded()
    const held = start()
    await waiting()
    desk.close()
    expect(await held.ended).toMatchObject({ kind: 'pending' })
    expect(await start({ to: 'eve' }).ended).toMatchObject({ kind: 'pending' })
  })
})

async function startOne() {
  const guarded = await createGuarded()
  return { ...guarded, ...guarded.start() }
}

describe('S14: attacks on the approval', () => {
  it('time: what expired is refused, approved or not, and never runs', async () => {
    for (const verdict of [undefined, yes]) {
      const { start, waiting, desk, clock, effects } = await createGuarded()
      const first = start()
      const { id } = await waiting()
      await clock.advance(holdMs)
      expect(await first.ended).toMatchObject({ kind: 'pending' })
      if (verdict !== undefined) await desk.decide(id, verdict)
      await clock.advance(hourMs)
      const late = await start().ended
      expect(late).toMatchObject(denied)
      expect(late).toMatchObject({ error: { data: { state: 'expired' } } })
      expect(effects).toEqual([])
    }
  })

  it('restart: a held call never runs by itself, though its approval comes after', async () => {
    const { restart, start, waiting, stores, clock, effects } = await createGuarded()
    const held = start()
    const { id } = await waiting()
    restart()
    await stores.approvals.decide(id, yes)
    await clock.advance(holdMs)
    expect(await held.ended).toMatchObject({ kind: 'pending' })
    expect(effects).toEqual([])
    expect(await start().ended).toEqual(done)
    expect(effects).toHaveLength(1)
  })

  it.each([
    ['other arguments', { to: 'mallory' }, {}],
    ['one more argument', { to: 'bob', cc: 'mallory' }, {}],
    ['another caller', { to: 'bob' }, { caller: { ...ada, subject: 'local:eve' } }],
    ['another tenant', { to: 'bob' }, { caller: { ...ada, tenant: 'other' } }],
  ])('%s: the approval is not for it', async (_, input, more) => {
    const { start, waiting, desk, clock, effects } = await createGuarded()
    start({ to: 'bob' })
    const { id } = await waiting()
    await clock.advance(holdMs)
    await desk.decide(id, yes)
    const other = start(input, more)
    await waiting()
    await clock.advance(holdMs)
    expect(await other.ended).toMatchObject({ kind: 'pending' })
    expect(effects).toEqual([])
  })

  it('the order of the arguments makes no other call of it', async () => {
    const { start, waiting, desk, clock, effects } = await createGuarded()
    start({ a: 1, b: { c: 2, d: [3] } })
    const { id } = await waiting()
    await clock.advance(holdMs)
    await desk.decide(id, yes)
    expect(await start({ b: { d: [3], c: 2 }, a: 1 }).ended).toEqual(done)
    expect(effects).toHaveLength(1)
  })

  it('a double approval and two identical calls: one runs, the other waits for its own', async () => {
    const { start, waiting, desk, effects, stores } = await createGuarded()
    const [a, b] = [start(), start()]
    const { id } = await waiting()
    expect(await Promise.all([desk.decide(id, yes), desk.decide(id, yes)])).toEqual([true, false])
    expect(await Promise.race([a.ended, b.ended])).toEqual(done)
    const second = await waiting()
    expect([second.id === id, effects.length]).toEqual([false, 1])
    await desk.decide(second.id, no)
    const outcomes = await Promise.all([a.ended, b.ended])
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['complete', 'failed'])
    expect(effects).toHaveLength(1)
    expect((await stores.approvals.list()).map(({ state }) => state).sort()).toEqual(['denied', 'used'])
  })

  it('fifty identical calls and one approval: one runs', async () => {
    const { start, waiting, desk, clock, effects } = await createGuarded()
    const calls = Array.from({ length: 50 }, () => start())
    await desk.decide((await waiting()).id, yes)
    await vi.waitFor(() => expect(effects).toHaveLength(1))
    // The others ask anew, each as soon as it has heard; the time passes until all of them are held and let go.
    await vi.waitFor(async () => {
      await clock.advance(holdMs)
      expect(calls.every(({ state }) => state.outcome !== undefined)).toBe(true)
    })
    const kinds = calls.map(({ state }) => state.outcome?.kind)
    expect(kinds.filter((kind) => kind === 'complete')).toHaveLength(1)
    expect(effects).toHaveLength(1)
  })

  it('a store that cannot be reached: nothing runs', async () => {
    for (const name of ['open', 'find', 'use'] as const) {
      const { start, clock, stores, effects, desk } = await createGuarded({
        damage: (own) => ({ approvals: { ...own.approvals, [name]: deadStores.approvals[name] } }),
      })
      const { ended } = start()
      await clock.advance(1)
      for (const { id } of await stores.approvals.list()) await desk.decide(id, yes)
      await clock.advance(holdMs)
      expect(await ended, name).toMatchObject(unreachable)
      expect(effects, name).toEqual([])
    }
  })

  it('a tool that changed after the approval', async () => {
    const guarded = await createGuarded()
    guarded.start()
    const { id } = await guarded.waiting()
    await guarded.clock.advance(holdMs)
    await guarded.desk.decide(id, yes)
    const changed = { ...guarded.entry, target: { ...guarded.entry.target, description: 'Deletes it.' } }
    const other = guarded.start({ to: 'bob' }, { entry: changed })
    await guarded.waiting()
    await guarded.clock.advance(holdMs)
    expect(await other.ended).toMatchObject({ kind: 'pending' })
    expect(guarded.effects).toEqual([])
  })

  it('too many that wait: the next is refused, not run', async () => {
    const { start, waiting, stores, effects } = await createGuarded()
    for (let at = 0; at < 20; at += 1) start({ at })
    await waiting()
    await vi.waitFor(async () => expect(await stores.approvals.list('pending')).toHaveLength(20))
    expect(await start({ at: 20 }).ended).toMatchObject({ error: { code: 'OVERLOADED' } })
    expect(effects).toEqual([])
  })
})

describe('S14: a call that the caller’s own user has to approve', () => {
  const policy = { confirm: 'client' } as const
  const accept = { action: 'accept', content: { approve: true } }
  const resumeOf = (outcome: unknown) =>
    (outcome as { required: InputRequired }).required as InputRequired & { resume: string }

  it('runs after a yes to exactly this call, once, and it is noted who said it', async () => {
    const { start, effects, stores } = await createGuarded({ policy })
    const asked = resumeOf(await start().ended)
    expect(asked.questions).toMatchObject({ approve: { method: 'elicitation/create' } })
    const answers = { responses: { approve: accept }, resume: asked.resume }
    expect(await start({ to: 'bob' }, { answers }).ended).toEqual(done)
    expect(await start({ to: 'bob' }, { answers }).ended).toMatchObject({ error: { code: 'RESUME_LOST' } })
    expect(effects).toHaveLength(1)
    expect(await stores.approvals.list()).toMatchObject([{ state: 'used', decidedBy: 'client' }])
  })

  it.each([
    ['a no', { action: 'decline' }],
    ['an empty form', { action: 'accept', content: {} }],
    ['a yes that is no boolean', { action: 'accept', content: { approve: 'true' } }],
    ['an unticked box', { action: 'accept', content: { approve: false } }],
    ['no answer', undefined],
  ])('does not run after %s', async (_, approve) => {
    const { start, effects } = await createGuarded({ policy })
    const { resume } = resumeOf(await start().ended)
    expect(await start({ to: 'bob' }, { answers: { responses: { approve }, resume } }).ended).toMatchObject(
      denied,
    )
    expect(effects).toEqual([])
  })

  it('takes no yes for other arguments, nor one that nobody asked for', async () => {
    const { start, effects } = await createGuarded({ policy })
    const { resume } = resumeOf(await start().ended)
    const responses = { approve: accept }
    const other = await start({ to: 'mallory' }, { answers: { responses, resume } }).ended
    expect(other).toMatchObject({ error: { code: 'RESUME_LOST' } })
    expect(await start({ to: 'bob' }, { answers: { responses } }).ended).toMatchObject({
      kind: 'input-required',
    })
    expect(effects).toEqual([])
  })
})

it('S6: a tool that asks its own question after the approval goes on under it, once', async () => {
  const given: unknown[] = []
  const { start, waiting, desk } = await createGuarded({
    tool: {
      async run(_input, { answers }) {
        given.push(answers)
        return answers === undefined ? new InputRequired({ name: {} }, 'own state') : { content: [] }
      },
    },
  })
  const first = start({ to: 'bob' }, { answers: { responses: { name: 'forged' } } })
  await desk.decide((await waiting()).id, yes)
  const outcome = await first.ended
  if (outcome.kind !== 'input-required') throw new Error(outcome.kind)
  expect(outcome.required.resume).not.toContain('own state')
  const answers = { responses: { name: 'Bob' }, resume: outcome.required.resume! }
  expect(await start({ to: 'bob' }, { answers }).ended).toMatchObject({ kind: 'complete' })
  expect(given).toEqual([undefined, { responses: { name: 'Bob' }, resume: 'own state' }])
  expect(await start({ to: 'bob' }, { answers }).ended).toMatchObject({ error: { code: 'RESUME_LOST' } })
})
