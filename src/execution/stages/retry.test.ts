import { describe, expect, it } from 'vitest'
import type { Call, Run } from '../../core/call.ts'
import { Cancellation } from '../../core/cancellation.ts'
import { type ErrorCode, toWeirError, WeirError } from '../../core/error.ts'
import { type Outcome, tellFault } from '../../core/outcome.ts'
import type { Tool } from '../../core/tool.ts'
import { createLog } from '../../telemetry/log.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { createCall, createEntry, policy } from '../call.fixture.ts'
import { createRetryStage } from './retry.ts'

const retry = { attemptsMax: 3, delayMs: 1_000, delayMsMax: 60_000 }
const done: Outcome = { kind: 'complete', result: { structuredContent: 'done' } }
const passing = new WeirError('UPSTREAM_FAILED', 'status 503')
const unsent = (code: ErrorCode) => new WeirError(code, 'no connection', { data: { sent: false } })

interface Given {
  readonly tool?: Partial<Tool>
  readonly rule?: typeof retry
  readonly random?: number
}

/** One tool that fails `failures` times with `error`, then succeeds. */
function setUp({ tool = {}, rule = retry, random = 1 }: Given = {}) {
  const clock = createFakeClock()
  const lines: Record<string, unknown>[] = []
  const log = createLog((line) => void lines.push(JSON.parse(line)))
  const entry = createEntry(tool)
  const upstream = { hits: [] as number[], failures: Number.POSITIVE_INFINITY, error: passing as unknown }
  const next: Run = (call) => {
    upstream.hits.push(clock.monotonicMs())
    call.cancellation.isDispatched = true
    return upstream.hits.length <= upstream.failures ? Promise.reject(upstream.error) : Promise.resolve(done)
  }
  const stage = createRetryStage({ clock, log, random: () => random })
  const run = stage.wrap(entry, { ...policy, retry: rule }, next)
  const state: { end?: string } = {}
  const start = (more: Partial<Call> = {}) => {
    void run(createCall(entry, more)).then(
      ({ kind }) => {
        state.end = kind
      },
      (thrown) => {
        state.end = toWeirError(thrown).code
      },
    )
  }
  return { clock, lines, upstream, state, start, run, entry, stage }
}

/** How often a tool is run that always fails so. */
async function countHits(error: WeirError, tool: Partial<Tool> = {}, call: Partial<Call> = {}) {
  const given = setUp({ tool })
  given.upstream.error = error
  given.start(call)
  await given.clock.advance(30_000)
  expect(given.state.end).toBe(error.code)
  return given.upstream.hits.length
}

describe('D2-060, D4-040, C-06: a failure that may pass', () => {
  it('is tried three times, the wait doubling, and the last error is given', async () => {
    const { clock, upstream, state, start } = setUp()
    start()
    await clock.advance(10_000)
    expect(upstream.hits).toEqual([0, 1_000, 3_000])
    expect(state.end).toBe('UPSTREAM_FAILED')
  })

  it.each([
    [0, 500],
    [0.5, 750],
    [1, 1_000],
  ])('waits with jitter: random %d, %i ms', async (random, waitMs) => {
    const { clock, upstream, start } = setUp({ random })
    start()
    await clock.advance(waitMs - 1)
    expect(upstream.hits).toHaveLength(1)
    await clock.advance(1)
    expect(upstream.hits).toHaveLength(2)
  })

  it('never waits longer than the most', async () => {
    const { clock, upstream, start } = setUp({ rule: { attemptsMax: 4, delayMs: 1_000, delayMsMax: 1_500 } })
    start()
    await clock.advance(10_000)
    expect(upstream.hits).toEqual([0, 1_000, 2_500, 4_000])
  })

  it('is over with the first success', async () => {
    const { clock, upstream, state, start } = setUp()
    upstream.failures = 1
    start()
    await clock.advance(1_000)
    expect([state.end, upstream.hits.length]).toEqual(['complete', 2])
    expect(clock.pendingMs).toEqual([])
  })

  it('B-06: may be an answer that shows its system at fault, which is given as it is in the end', async () => {
    const { clock, stage, entry } = setUp()
    const result = tellFault({ isError: true, structuredContent: { status_code: 503 } }, passing)
    let hits = 0
    const run = stage.wrap(entry, { ...policy, retry }, async () => {
      hits += 1
      return { kind: 'complete', result }
    })
    const ended = run(createCall(entry))
    await clock.advance(10_000)
    expect(await ended).toEqual({ kind: 'complete', result })
    expect(hits).toBe(3)
  })

  it('B-72: waits as long as the system asks to be left alone', async () => {
    const { clock, upstream, start } = setUp()
    upstream.error = new WeirError('UPSTREAM_FAILED', 'busy', { data: { retryAfterMs: 7_000 } })
    start()
    await clock.advance(14_000)
    expect(upstream.hits).toEqual([0, 7_000, 14_000])
  })
})

describe('R3, B-134: what runs again', () => {
  it.each<[Tool['effect'], number]>([
    ['read', 3],
    ['idempotent-write', 3],
    ['write', 1],
    ['destructive', 1],
  ])('after a failure that says nothing of what was sent: %s, %i times', async (effect, hits) => {
    expect(await countHits(passing, { effect })).toBe(hits)
  })

  it.each<[ErrorCode, Tool['effect']]>([
    ['UPSTREAM_UNREACHABLE', 'write'],
    ['DATABASE_UNAVAILABLE', 'destructive'],
    ['BROKER_UNAVAILABLE', 'write'],
  ])('%s, where the connection vouches that nothing was sent: a %s too', async (code, effect) => {
    expect(await countHits(unsent(code), { effect })).toBe(3)
    expect(await countHits(new WeirError(code, 'broke', { data: { sent: true } }), { effect })).toBe(1)
    expect(await countHits(new WeirError(code, 'broke'), { effect })).toBe(1)
  })

  it('nothing whose input is used up: a cursor', async () => {
    expect(await countHits(passing, { isOneUse: true })).toBe(1)
  })

  it('no call that carries answers of its user', async () => {
    expect(await countHits(passing, {}, { answers: { responses: {} } })).toBe(1)
  })

  it('no write says that it may have happened, once it is known that it has not', async () => {
    const { clock, upstream, start } = setUp({ tool: { effect: 'write' } })
    upstream.error = unsent('UPSTREAM_UNREACHABLE')
    upstream.failures = 1
    const cancellation = new Cancellation()
    start({ cancellation })
    await clock.advance(500)
    expect(cancellation.isDispatched).toBe(false)
    await clock.advance(500)
    expect(cancellation.isDispatched).toBe(true)
  })
})

describe('B-72, D2-098, B-133: by the class of its failure', () => {
  it.each<ErrorCode>([
    'UPSTREAM_UNREACHABLE',
    'UPSTREAM_TIMEOUT',
    'UPSTREAM_FAILED',
    'CLOUD_BUSY',
    'SQL_BUSY',
  ])('%s is tried again', async (code) => {
    expect(await countHits(new WeirError(code, 'no'))).toBe(3)
  })

  it.each<ErrorCode>([
    'INVALID_INPUT',
    'UPSTREAM_REFUSED',
    'SQL_ERROR',
    'OUTCOME_UNKNOWN',
    'CIRCUIT_OPEN',
    'CANCELLED',
    'DEADLINE_EXCEEDED',
    'OVERLOADED',
    'INTERNAL',
    'CONNECTION_UNAVAILABLE',
  ])('%s is not, whatever it says of what was sent', async (code) => {
    expect(await countHits(unsent(code))).toBe(1)
  })
})

describe('the end of trying', () => {
  it('R12: comes at once where the wait would outlast the deadline', async () => {
    const { clock, state, start, lines } = setUp()
    const cancellation = new Cancellation()
    cancellation.tightenDeadline(2_500)
    start({ cancellation })
    await clock.advance(999)
    expect(state.end).toBeUndefined()
    await clock.advance(1)
    expect(state.end).toBe('UPSTREAM_FAILED')
    expect(lines.at(-1)).toMatchObject({ event: 'retry_exhausted', why: 'deadline', attempts: 2 })
  })

  it('R12: comes at once with the caller’s leaving, and leaves no timer', async () => {
    const { clock, state, start, upstream } = setUp()
    const cancellation = new Cancellation()
    start({ cancellation })
    await clock.advance(500)
    cancellation.cancel(new WeirError('CANCELLED', 'left'))
    await clock.advance(0)
    expect(state.end).toBe('CANCELLED')
    expect(clock.pendingMs).toEqual([])
    await clock.advance(10_000)
    expect(upstream.hits).toHaveLength(1)
  })
})

describe('R9: the budget', () => {
  it('B-73: a system that is down gets at most 1.25 times its load: 100 calls a second for 60 s', async () => {
    const { clock, upstream, start } = setUp({ random: 0.5 })
    let most = 0
    for (let second = 0; second < 60; second += 1) {
      for (let i = 0; i < 100; i += 1) {
        start()
        await clock.advance(10)
      }
      const inWindow = upstream.hits.filter((atMs) => atMs > clock.monotonicMs() - 10_000).length
      if (second >= 10) most = Math.max(most, inWindow)
    }
    const load = upstream.hits.length / 6_000
    expect(load).toBeLessThanOrEqual(1.25)
    expect(most).toBeLessThanOrEqual(1_250)
    // It does retry, all the time.
    expect(load).toBeGreaterThan(1.15)
  })

  it('bears three a second for a connection that is hardly used', async () => {
    const { clock, upstream, start } = setUp()
    for (let i = 0; i < 10; i += 1) {
      start()
      await clock.advance(5_000)
    }
    expect(upstream.hits).toHaveLength(30)
  })

  it('is each connection’s own', async () => {
    const { clock, start, stage, upstream } = setUp()
    for (let i = 0; i < 200; i += 1) start()
    await clock.advance(5_000)
    expect(upstream.hits.length).toBeLessThan(300)
    let hits = 0
    const other = { ...createEntry(), connection: 'other' }
    const run = stage.wrap(other, { ...policy, retry }, async () => {
      hits += 1
      throw passing
    })
    run(createCall(other)).catch(() => {})
    await clock.advance(5_000)
    expect(hits).toBe(3)
  })
})

it('D2-061: tells under the document’s names', async () => {
  const failing = setUp()
  failing.start()
  await failing.clock.advance(5_000)
  const passed = setUp()
  passed.upstream.failures = 1
  passed.start()
  await passed.clock.advance(5_000)
  expect([...failing.lines, ...passed.lines]).toMatchObject([
    {
      event: 'retry_attempt',
      func: 'box:echo',
      attempt: 2,
      max_attempts: 3,
      delay: 1,
      error: 'status 503',
    },
    { event: 'retry_attempt', attempt: 3, delay: 2 },
    { event: 'retry_exhausted', func: 'box:echo', attempts: 3, error: 'status 503', why: 'attempts' },
    { event: 'retry_attempt', attempt: 2 },
    { event: 'retry_success', func: 'box:echo', attempt: 2 },
  ])
})

it('is not there where it is off', () => {
  const { stage, entry } = setUp()
  const next: Run = async () => done
  expect(stage.wrap(entry, policy, next)).toBe(next)
})
