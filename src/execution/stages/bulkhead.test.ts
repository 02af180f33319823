import { describe, expect, it } from 'vitest'
import type { Run } from '../../core/call.ts'
import { Cancellation } from '../../core/cancellation.ts'
import { toWeirError, WeirError } from '../../core/error.ts'
import type { Outcome } from '../../core/outcome.ts'
import { createMetrics } from '../../telemetry/metrics.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { createCall, createEntry, policy } from '../call.fixture.ts'
import { createBulkheadStage } from './bulkhead.ts'

const done: Outcome = { kind: 'complete', result: {} }

/** Calls behind the stage that run until they are told to answer, oldest first. */
function setUp(bulkhead = { runningMax: 2, waitingMax: 3 }) {
  const clock = createFakeClock()
  const metrics = createMetrics()
  const stage = createBulkheadStage({ clock, metrics })
  const running: { subject: string; answer(): void; fail(): void }[] = []
  const started: string[] = []
  const next: Run = ({ caller: { subject } }) => {
    started.push(subject)
    return new Promise((resolve, reject) => {
      running.push({ subject, answer: () => resolve(done), fail: () => reject(new Error('no')) })
    })
  }
  const wrap = (connection = 'box', rule = bulkhead, kind: 'tool' | 'task-control' = 'tool') => {
    const entry = { ...createEntry({ kind: kind as 'tool' }), connection }
    const run = stage.wrap(entry, { ...policy, bulkhead: rule }, next)
    const ends: string[] = []
    const start = (subject = 'ada', cancellation = new Cancellation()) => {
      const caller = { subject, tenant: 'default' }
      void run(createCall(entry, { caller, cancellation })).then(
        () => ends.push(`${subject} done`),
        (thrown) => ends.push(`${subject} ${toWeirError(thrown).code}`),
      )
      return cancellation
    }
    return { start, ends }
  }
  const settle = () => clock.advance(0)
  const gauge = (name: string) =>
    Number(new RegExp(`^weir_bulkhead_${name}\\{connection="box"\\} (.*)$`, 'm').exec(metrics.render())?.[1])
  return { clock, wrap, running, started, settle, gauge, stage, next, ...wrap() }
}

describe('R10: the calls of one connection', () => {
  it('run up to their limit, wait up to theirs, in order, and are refused beyond it at once', async () => {
    const { start, ends, started, running, settle, gauge } = setUp()
    for (const subject of ['a', 'b', 'c', 'd', 'e', 'f']) start(subject)
    await settle()
    expect(started).toEqual(['a', 'b'])
    expect(ends).toEqual(['f OVERLOADED'])
    expect([gauge('running'), gauge('waiting')]).toEqual([2, 3])
    for (let i = 0; i < 5; i += 1) {
      running[i]!.answer()
      await settle()
    }
    expect(started).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect([gauge('running'), gauge('waiting')]).toEqual([0, 0])
  })

  it('are refused with the time after which to ask again', async () => {
    const { stage, next } = setUp()
    const rule = { runningMax: 1, waitingMax: 0 }
    const entry = createEntry()
    const run = stage.wrap(entry, { ...policy, bulkhead: rule }, next)
    void run(createCall(entry))
    await expect(run(createCall(entry))).rejects.toMatchObject({
      code: 'OVERLOADED',
      data: { retryAfterMs: 1_000, sent: false },
    })
  })

  it('give their place back however they end', async () => {
    const { start, running, settle, gauge } = setUp()
    start()
    start()
    running[0]!.fail()
    running[1]!.answer()
    await settle()
    expect(gauge('running')).toBe(0)
  })

  it('do not concern another connection, nor a tool with limits of its own', async () => {
    const { start, wrap, started, settle } = setUp()
    for (let i = 0; i < 6; i += 1) start()
    wrap('other').start('other')
    wrap('box', { runningMax: 1, waitingMax: 0 }).start('own')
    await settle()
    expect(started).toEqual(['ada', 'ada', 'other', 'own'])
  })

  it('share their limits with tools that have the same', async () => {
    const { start, wrap, started, settle } = setUp()
    start('a')
    wrap().start('b')
    wrap().start('c')
    await settle()
    expect(started).toEqual(['a', 'b'])
  })

  it('do not hold up what ends a task', async () => {
    const { start, wrap, started } = setUp()
    for (let i = 0; i < 6; i += 1) start()
    wrap('box', { runningMax: 2, waitingMax: 3 }, 'task-control').start('end')
    expect(started.at(-1)).toBe('end')
  })
})

describe('callers', () => {
  it('take turns: a flood of one costs another one turn', async () => {
    const { start, running, started, settle } = setUp({ runningMax: 1, waitingMax: 100 })
    for (let i = 0; i < 50; i += 1) start('flood')
    start('bob')
    start('bob')
    start('eve')
    for (let i = 0; i < 6; i += 1) {
      running[i]!.answer()
      await settle()
    }
    expect(started).toEqual(['flood', 'flood', 'bob', 'eve', 'flood', 'bob', 'flood'])
  })

  it('get a place to wait though one has taken them all, who loses the last one', async () => {
    const { start, ends, running, started, settle, gauge } = setUp({ runningMax: 1, waitingMax: 4 })
    for (let i = 0; i < 5; i += 1) start('flood')
    start('bob')
    await settle()
    expect(ends).toEqual(['flood OVERLOADED'])
    expect(gauge('waiting')).toBe(4)
    running[0]!.answer()
    await settle()
    running[1]!.answer()
    await settle()
    expect(started).toEqual(['flood', 'flood', 'bob'])
  })

  it('who wait already are not displaced by as many others', async () => {
    const { start, ends, settle } = setUp({ runningMax: 1, waitingMax: 2 })
    start('a')
    start('b')
    start('c')
    start('d')
    await settle()
    expect(ends).toEqual(['d OVERLOADED'])
  })
})

describe('R12: a call that is stopped', () => {
  const left = new WeirError('CANCELLED', 'left')

  it('leaves its line at once, and makes room', async () => {
    const { start, ends, started, running, settle, gauge } = setUp({ runningMax: 1, waitingMax: 1 })
    start('a')
    const waiting = start('b')
    waiting.cancel(left)
    start('c')
    await settle()
    expect(ends).toEqual(['b CANCELLED'])
    expect(gauge('waiting')).toBe(1)
    running[0]!.answer()
    await settle()
    expect(started).toEqual(['a', 'c'])
  })

  it('before it waits does not wait', async () => {
    const { start, ends, settle, gauge } = setUp({ runningMax: 1, waitingMax: 1 })
    start('a')
    const stopped = new Cancellation()
    stopped.cancel(left)
    start('b', stopped)
    await settle()
    expect([ends, gauge('waiting')]).toEqual([['b CANCELLED'], 0])
  })

  it('and whose tool does not heed it keeps its place for ten seconds, and no longer', async () => {
    const { start, started, clock, running, gauge } = setUp({ runningMax: 1, waitingMax: 1 })
    const hung = start('a')
    start('b')
    hung.cancel(left)
    await clock.advance(9_999)
    expect(started).toEqual(['a'])
    await clock.advance(1)
    expect(started).toEqual(['a', 'b'])
    // Its late end gives back nothing a second time.
    running[0]!.answer()
    await clock.advance(0)
    expect(gauge('running')).toBe(1)
    running[1]!.answer()
    await clock.advance(0)
    expect([gauge('running'), clock.pendingMs]).toEqual([0, []])
  })
})

it('is not there where it is off', () => {
  const { stage, next } = setUp()
  expect(stage.wrap(createEntry(), policy, next)).toBe(next)
})
