import { describe, expect, it } from 'vitest'
import type { Run } from '../../core/call.ts'
import { Cancellation } from '../../core/cancellation.ts'
import { WeirError } from '../../core/error.ts'
import type { Outcome } from '../../core/outcome.ts'
import type { Tool } from '../../core/tool.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { createCall, createEntry, policy } from '../call.fixture.ts'
import { createDeadlineStage } from './deadline.ts'

const done: Outcome = { kind: 'complete', result: {} }

/** One call through the stage; `outcome` is what it came to so far. */
function start(
  next: Run,
  timeoutMs = 1_000,
  cancellation = new Cancellation(),
  effect: Tool['effect'] = 'read',
) {
  const clock = createFakeClock()
  const entry = createEntry({ effect })
  const run = createDeadlineStage(clock).wrap(entry, { ...policy, timeoutMs }, next)
  const state: { outcome?: Outcome; error?: unknown } = {}
  const ended = run(createCall(entry, { cancellation })).then(
    (outcome) => {
      state.outcome = outcome
    },
    (error) => {
      state.error = error
    },
  )
  return { clock, cancellation, state, ended }
}

/** A tool that answers when it is told to. */
function createSlow() {
  let answer = (_outcome: Outcome): void => {}
  let fail = (_error: unknown): void => {}
  const run: Run = () =>
    new Promise((resolve, reject) => {
      answer = resolve
      fail = reject
    })
  return { run, answer: () => answer(done), fail: (error: unknown) => fail(error) }
}

describe('R12: the deadline', () => {
  it('answers at its moment, not before, though the tool never does', async () => {
    const { clock, state } = start(createSlow().run)
    await clock.advance(999)
    expect(state).toEqual({})
    await clock.advance(1)
    expect(state.error).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: 'box:echo did not answer within 1000 ms.',
    })
  })

  it('tells the tool to stop, with the error as the reason', async () => {
    const cancellation = new Cancellation()
    const { signal } = cancellation
    const { clock, state } = start(createSlow().run, 1_000, cancellation)
    await clock.advance(1_000)
    expect(signal.aborted).toBe(true)
    expect(signal.reason).toBe(state.error)
    expect(cancellation.reason).toBe(state.error)
  })

  it.each(['answer', 'fail'] as const)('drops what comes after it: a late %s', async (how) => {
    const slow = createSlow()
    const { clock, state, ended } = start(slow.run)
    await clock.advance(1_000)
    slow[how](new Error('late'))
    await ended
    expect(state.outcome).toBeUndefined()
    expect(state.error).toMatchObject({ code: 'DEADLINE_EXCEEDED' })
  })

  it('leaves no timer behind a call that ends, well or badly', async () => {
    for (const how of ['answer', 'fail'] as const) {
      const slow = createSlow()
      const { clock, ended, cancellation } = start(slow.run)
      expect(clock.pendingMs).toEqual([1_000])
      slow[how](new Error('no'))
      await ended
      expect(clock.pendingMs).toEqual([])
      await clock.advance(5_000)
      expect(cancellation.reason).toBeUndefined()
    }
  })

  it('is known to the tool', async () => {
    const { clock, cancellation } = start(createSlow().run)
    expect(cancellation.deadlineMs).toBe(clock.monotonicMs() + 1_000)
  })

  it('that came with the call counts where it is earlier', async () => {
    const cancellation = new Cancellation()
    cancellation.tightenDeadline(300)
    const { clock, state } = start(createSlow().run, 1_000, cancellation)
    await clock.advance(299)
    expect(state.error).toBeUndefined()
    await clock.advance(1)
    expect(state.error).toMatchObject({ message: 'box:echo did not answer within 300 ms.' })
  })

  it('that came with the call does not count where it is later', async () => {
    const cancellation = new Cancellation()
    cancellation.tightenDeadline(9_000)
    const { clock, state } = start(createSlow().run, 1_000, cancellation)
    expect(cancellation.deadlineMs).toBe(1_000)
    await clock.advance(1_000)
    expect(state.error).toMatchObject({ code: 'DEADLINE_EXCEEDED' })
  })

  it('gives way to an earlier reason: the caller had left', async () => {
    const cancellation = new Cancellation()
    const { clock } = start(createSlow().run, 1_000, cancellation)
    const left = new WeirError('CANCELLED', 'The client left.')
    cancellation.cancel(left)
    await clock.advance(1_000)
    expect(cancellation.reason).toBe(left)
  })

  it.each<[Tool['effect'], boolean, string]>([
    ['read', true, 'DEADLINE_EXCEEDED'],
    ['idempotent-write', true, 'DEADLINE_EXCEEDED'],
    ['write', true, 'OUTCOME_UNKNOWN'],
    ['destructive', true, 'OUTCOME_UNKNOWN'],
    ['write', false, 'DEADLINE_EXCEEDED'],
  ])('R3: of a %s whose target was given it (%s) is %s', async (effect, isDispatched, code) => {
    const cancellation = new Cancellation()
    const { clock, state } = start(createSlow().run, 1_000, cancellation, effect)
    cancellation.isDispatched = isDispatched
    await clock.advance(1_000)
    expect(state.error).toMatchObject({ code })
    expect((state.error as WeirError).spec.retryable).toBe(code === 'DEADLINE_EXCEEDED')
  })

  it('R18: does not move with the wall clock', async () => {
    const { clock, state } = start(createSlow().run)
    clock.setNow(clock.now() + 3_600_000)
    await clock.advance(999)
    expect(state.error).toBeUndefined()
  })
})
