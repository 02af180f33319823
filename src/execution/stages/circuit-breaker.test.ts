import { describe, expect, it } from 'vitest'
import type { Run } from '../../core/call.ts'
import { Cancellation } from '../../core/cancellation.ts'
import { type ErrorCode, toWeirError, WeirError } from '../../core/error.ts'
import type { Outcome } from '../../core/outcome.ts'
import { createLog } from '../../telemetry/log.ts'
import { createMetrics } from '../../telemetry/metrics.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { createCall, createEntry, policy } from '../call.fixture.ts'
import { createCircuits } from '../circuits.ts'
import { createCircuitBreakerStage } from './circuit-breaker.ts'

const breaker = { failures: 5, recoveryMs: 60_000, successes: 2 }
const done: Outcome = { kind: 'complete', result: {} }
const refused = { kind: 'complete', result: { isError: true } } as const

/** One tool behind the stage, which answers as `upstream.next` says. */
function setUp(next?: Run) {
  const clock = createFakeClock()
  const metrics = createMetrics()
  const lines: Record<string, unknown>[] = []
  const log = createLog((line) => void lines.push(JSON.parse(line)))
  const circuits = createCircuits({ clock, log, metrics })
  const stage = createCircuitBreakerStage({ circuits, clock, log })
  const upstream = { hits: 0, next: next ?? (async () => done) }
  const wrap = (name = 'echo', kind: 'tool' | 'task-control' = 'tool') => {
    const entry = createEntry({ name, kind: kind as 'tool' })
    const run = stage.wrap(entry, { ...policy, breaker }, (call) => {
      upstream.hits += 1
      call.cancellation.isDispatched = true
      return upstream.next(call)
    })
    const attempt = (cancellation = new Cancellation()) =>
      run(createCall(entry, { cancellation })).then(
        ({ kind }): string => kind,
        (thrown) => toWeirError(thrown).code,
      )
    return { run: () => run(createCall(entry)), attempt }
  }
  const tool = wrap()
  const failWith = (code: ErrorCode) => {
    upstream.next = () => Promise.reject(new WeirError(code, 'no'))
  }
  const succeed = () => {
    upstream.next = async () => done
  }
  const open = async () => {
    failWith('UPSTREAM_UNREACHABLE')
    for (let i = 0; i < breaker.failures; i += 1) await tool.attempt()
  }
  const state = () => circuits.report()[0]!
  return { clock, stage, metrics, lines, circuits, upstream, wrap, ...tool, failWith, succeed, open, state }
}

describe('R8: the breaker', () => {
  it('D0-100, D0-101, C-05: opens at the fifth failure in a row, and then asks nobody', async () => {
    const { attempt, failWith, upstream, state } = setUp()
    failWith('UPSTREAM_UNREACHABLE')
    for (let i = 0; i < 4; i += 1) await attempt()
    expect(state()).toMatchObject({ state: 'closed', failure_count: 4 })
    await attempt()
    expect(state()).toMatchObject({ state: 'open', failure_count: 5 })
    expect(await attempt()).toBe('CIRCUIT_OPEN')
    expect(upstream.hits).toBe(5)
  })

  it('B-26: forgets failures with each success', async () => {
    const { attempt, failWith, succeed, state } = setUp()
    for (let i = 0; i < 10; i += 1) {
      failWith('UPSTREAM_TIMEOUT')
      for (let j = 0; j < 4; j += 1) await attempt()
      succeed()
      await attempt()
    }
    expect(state()).toMatchObject({ state: 'closed', failure_count: 0 })
  })

  it('B-29: refuses with a typed error that says when to come back, within 5 ms', async () => {
    const { run, open, clock } = setUp()
    await open()
    await clock.advance(15_000)
    const startMs = performance.now()
    const error = toWeirError(await run().catch((thrown: unknown) => thrown))
    expect(performance.now() - startMs).toBeLessThan(5)
    expect(error).toMatchObject({ code: 'CIRCUIT_OPEN', data: { retryAfterMs: 45_000 } })
    expect([error.spec.http, error.spec.retryable]).toEqual([503, true])
  })

  it('B-28: lets one of 100 concurrent calls through when its time has come', async () => {
    const { attempt, open, clock, upstream } = setUp()
    await open()
    await clock.advance(59_999)
    expect(await attempt()).toBe('CIRCUIT_OPEN')
    await clock.advance(1)
    upstream.hits = 0
    let answer = (_outcome: Outcome): void => {}
    upstream.next = () =>
      new Promise((resolve) => {
        answer = resolve
      })
    const ended = Array.from({ length: 100 }, () => attempt())
    await clock.advance(0)
    expect(upstream.hits).toBe(1)
    answer(done)
    const codes = await Promise.all(ended)
    expect(codes.filter((code) => code === 'CIRCUIT_OPEN')).toHaveLength(99)
    expect(codes).toContain('complete')
  })

  it('D2-050, D2-052: closes after two successes in a row, one call at a time until then', async () => {
    const { attempt, open, clock, succeed, state } = setUp()
    await open()
    await clock.advance(60_000)
    succeed()
    await attempt()
    expect(state()).toMatchObject({ state: 'half_open', success_count: 1 })
    await attempt()
    expect(state()).toMatchObject({ state: 'closed', failure_count: 0, opened_at: null })
    expect(await Promise.all([attempt(), attempt(), attempt()])).toEqual(['complete', 'complete', 'complete'])
  })

  it('D0-102, D2-053: opens again at once where the one that tries fails, after a success too', async () => {
    const { attempt, open, clock, succeed, failWith, state } = setUp()
    await open()
    await clock.advance(60_000)
    succeed()
    await attempt()
    failWith('UPSTREAM_FAILED')
    expect(await attempt()).toBe('UPSTREAM_FAILED')
    expect(state().state).toBe('open')
    await clock.advance(59_999)
    expect(await attempt()).toBe('CIRCUIT_OPEN')
  })

  it('frees the place of a try that was cancelled, though its tool never ends', async () => {
    const { attempt, open, clock, upstream, succeed, state } = setUp()
    await open()
    await clock.advance(60_000)
    upstream.next = () => new Promise(() => {})
    const cancellation = new Cancellation()
    void attempt(cancellation)
    expect(await attempt()).toBe('CIRCUIT_OPEN')
    cancellation.cancel(new WeirError('CANCELLED', 'left'))
    succeed()
    expect(await attempt()).toBe('complete')
    expect(state()).toMatchObject({ state: 'half_open', success_count: 1 })
  })

  it('does not take what began before for news', async () => {
    const { attempt, open, upstream, clock, state, succeed } = setUp()
    let answer = (_outcome: Outcome): void => {}
    let fail = (_error: unknown): void => {}
    upstream.next = () =>
      new Promise((resolve) => {
        answer = resolve
      })
    const early = attempt()
    upstream.next = () =>
      new Promise((_, reject) => {
        fail = reject
      })
    const earlyFailure = attempt()
    await open()
    await clock.advance(60_000)
    succeed()
    await attempt()
    answer(done)
    fail(new WeirError('UPSTREAM_FAILED', 'no'))
    await Promise.all([early, earlyFailure])
    expect(state()).toMatchObject({ state: 'half_open', success_count: 1 })
  })

  it('R18: does not move with the wall clock', async () => {
    const { attempt, open, clock } = setUp()
    await open()
    clock.setNow(clock.now() + 3_600_000)
    expect(await attempt()).toBe('CIRCUIT_OPEN')
  })
})

describe('B-28, B-71: what counts', () => {
  it.each<ErrorCode>([
    'UPSTREAM_UNREACHABLE',
    'UPSTREAM_TIMEOUT',
    'UPSTREAM_FAILED',
    'UPSTREAM_EXITED',
    'UPSTREAM_PROTOCOL',
    'DATABASE_UNAVAILABLE',
    'BROKER_UNAVAILABLE',
    'CLOUD_BUSY',
    'OUTCOME_UNKNOWN',
  ])('%s does', async (code) => {
    const { attempt, failWith, state } = setUp()
    failWith(code)
    for (let i = 0; i < 5; i += 1) await attempt()
    expect(state().state).toBe('open')
  })

  it.each<ErrorCode>([
    'INVALID_INPUT',
    'UPSTREAM_REFUSED',
    'SQL_ERROR',
    'CANCELLED',
    'URL_NOT_ALLOWED',
    'QUALITY_REJECTED',
    'OVERLOADED',
    'INTERNAL',
    'CONNECTION_UNAVAILABLE',
  ])('%s does not', async (code) => {
    const { attempt, failWith, state } = setUp()
    failWith(code)
    for (let i = 0; i < 50; i += 1) await attempt()
    expect(state()).toMatchObject({ state: 'closed', failure_count: 0, last_failure: null })
  })

  it('an answer that is an error does not, and shows the system alive', async () => {
    const { attempt, failWith, upstream, state } = setUp()
    failWith('UPSTREAM_FAILED')
    for (let i = 0; i < 4; i += 1) await attempt()
    upstream.next = async () => refused
    await attempt()
    expect(state().failure_count).toBe(0)
  })

  it('a refusal before the system was asked neither counts nor forgives', async () => {
    const { attempt, failWith, state } = setUp()
    failWith('UPSTREAM_FAILED')
    for (let i = 0; i < 4; i += 1) await attempt()
    failWith('URL_NOT_ALLOWED')
    await attempt()
    expect(state().failure_count).toBe(4)
  })

  it.each<ErrorCode>([
    'UPSTREAM_EXITED',
    'UPSTREAM_UNREACHABLE',
    'DATABASE_UNAVAILABLE',
    'BROKER_UNAVAILABLE',
  ])('a break that ends many calls counts once: %s', async (code) => {
    const { attempt, upstream, state } = setUp()
    const fails: ((error: unknown) => void)[] = []
    upstream.next = () => new Promise((_, reject) => void fails.push(reject))
    for (let crash = 1; crash <= 2; crash += 1) {
      const ended = Array.from({ length: 20 }, () => attempt())
      for (const fail of fails.splice(0)) fail(new WeirError(code, 'gone'))
      await Promise.all(ended)
      expect(state().failure_count).toBe(crash)
    }
  })

  it.each<[string, number, string]>([
    ['a deadline after most of the policy’s time', 20_000, 'open'],
    ['a deadline that the caller made short', 100, 'closed'],
  ])('%s: %i ms, %s', async (_, afterMs, state) => {
    const given = setUp(() => new Promise(() => {}))
    for (let i = 0; i < 5; i += 1) {
      const cancellation = new Cancellation()
      void given.attempt(cancellation)
      await given.clock.advance(afterMs)
      cancellation.cancel(new WeirError('DEADLINE_EXCEEDED', 'over'))
    }
    expect(given.state().state).toBe(state)
  })
})

describe('B-27: a circuit', () => {
  it('is its own target’s', async () => {
    const { open, attempt, wrap, succeed } = setUp()
    await open()
    succeed()
    expect([await attempt(), await wrap('other').attempt()]).toEqual(['CIRCUIT_OPEN', 'complete'])
  })

  it('is its own system’s, where the input names one of several', async () => {
    const { circuits, clock, stage } = setUp()
    const systems = { field: 'api_name', names: ['dead', 'well'] }
    const entry = createEntry({ systems })
    let hits = 0
    const run = stage.wrap(entry, { ...policy, breaker }, async ({ input }) => {
      hits += 1
      if ((input as { api_name: string }).api_name === 'well') return done
      throw new WeirError('UPSTREAM_TIMEOUT', 'no')
    })
    const ask = (name: string) =>
      run(createCall(entry, { input: { api_name: name } })).then(
        ({ kind }): string => kind,
        (thrown) => toWeirError(thrown).code,
      )
    for (let i = 0; i < 5; i += 1) await ask('dead')
    expect([await ask('dead'), await ask('well'), hits]).toEqual(['CIRCUIT_OPEN', 'complete', 6])
    // Names that callers make up leave no circuits behind.
    for (let i = 0; i < 4; i += 1) await ask(`made-up-${i}`)
    await clock.advance(0)
    expect(circuits.report().map(({ name }) => name)).toEqual(['box:echo', 'box:echo/dead', 'box:echo/well'])
  })

  it('outlives a changed definition of its target', async () => {
    const { open, wrap, succeed } = setUp()
    await open()
    succeed()
    expect(await wrap().attempt()).toBe('CIRCUIT_OPEN')
  })

  it('is not asked about what ends a task of its tool', async () => {
    const { open, wrap, succeed } = setUp()
    await open()
    succeed()
    expect(await wrap('echo', 'task-control').attempt()).toBe('complete')
  })
})

describe('what can be seen', () => {
  it('D2-054: get_state has the document’s fields', async () => {
    const { open, state } = setUp()
    await open()
    expect(state()).toEqual({
      name: 'box:echo',
      state: 'open',
      failure_count: 5,
      success_count: 0,
      opened_at: '2026-01-01T00:00:00.000Z',
      last_failure: '2026-01-01T00:00:00.000Z',
    })
  })

  it('B-42: a gauge of states and a counter of changes', async () => {
    const { open, metrics, clock, attempt, succeed } = setUp()
    await open()
    expect(metrics.render()).toContain('weir_circuit_breaker_state{tool="box:echo"} 2\n')
    await clock.advance(60_000)
    succeed()
    await attempt()
    expect(metrics.render()).toContain('weir_circuit_breaker_state{tool="box:echo"} 1\n')
    await attempt()
    expect(metrics.render()).toContain('weir_circuit_breaker_state{tool="box:echo"} 0\n')
    for (const to of ['open', 'half_open', 'closed'])
      expect(metrics.render()).toContain(
        `weir_circuit_breaker_transitions_total{tool="box:echo",to="${to}"} 1\n`,
      )
  })

  it('D2-055: events under the document’s names, and refusals once', async () => {
    const { open, attempt, clock, succeed, failWith, lines } = setUp()
    await open()
    await attempt()
    await attempt()
    await clock.advance(60_000)
    failWith('UPSTREAM_FAILED')
    await attempt()
    await clock.advance(60_000)
    succeed()
    await attempt()
    await attempt()
    expect(lines.map(({ event }) => event)).toEqual([
      'circuit_breaker_opened',
      'circuit_breaker_open',
      'circuit_breaker_half_open',
      'circuit_breaker_reopened',
      'circuit_breaker_half_open',
      'circuit_breaker_closed',
    ])
  })
})
