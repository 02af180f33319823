import { describe, expect, it } from 'vitest'
import type { Call, Run } from '../../core/call.ts'
import { Cancellation } from '../../core/cancellation.ts'
import type { Entry } from '../../core/catalog.ts'
import { WeirError } from '../../core/error.ts'
import type { Standing } from '../../core/limit.ts'
import type { RateRule } from '../../core/policy.ts'
import { createMetrics } from '../../telemetry/metrics.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { createCall, createEntry, policy } from '../call.fixture.ts'
import { LocalBuckets } from '../limits/local-buckets.ts'
import { WaitingLine } from '../limits/waiting-line.ts'
import { createRateLimitStage } from './rate-limit.ts'

function start(...rateLimits: RateRule[]) {
  const clock = createFakeClock()
  const metrics = createMetrics()
  const line = new WaitingLine(3)
  const stage = createRateLimitStage({ limiter: new LocalBuckets(clock), clock, metrics, line })
  const ran: Call[] = []
  const next: Run = async (call) => {
    ran.push(call)
    return { kind: 'complete', result: {} }
  }
  const chains = new WeakMap<Entry, Run>()
  /** What a call came to: `ok` or the error. */
  const call = (entry: Entry, more: Partial<Call> = {}): Promise<unknown> => {
    const run = chains.get(entry) ?? stage.wrap(entry, { ...policy, rateLimits }, next)
    chains.set(entry, run)
    return run(createCall(entry, more)).then(
      () => 'ok',
      (error: WeirError) => error,
    )
  }
  const by = (subject: string, tenant = 'default') => ({ caller: { subject, tenant } })
  return { clock, metrics, stage, ran, call, by, next }
}
const one = (per: RateRule['per'], more: Partial<RateRule> = {}): RateRule => ({
  limit: '1/minute',
  per,
  ...more,
})
const [tool, sibling] = [createEntry({ name: 'a' }), createEntry({ name: 'b' })]
const foreign = { ...createEntry({ name: 'a' }), id: 'other:a', connection: 'other' }
const refused = expect.objectContaining({ code: 'RATE_LIMITED' })

describe('a limit', () => {
  it('that is absent costs nothing', () => {
    const { stage, next } = start()
    expect(stage.wrap(tool, policy, next)).toBe(next)
  })

  it('B-127: refuses before the tool runs, retryable, and says when to come again', async () => {
    const { call, ran, clock, metrics } = start({ limit: '10/hour', per: 'caller' })
    for (let i = 0; i < 10; i += 1) expect(await call(tool)).toBe('ok')
    const error = (await call(tool)) as WeirError
    expect(error).toMatchObject({
      code: 'RATE_LIMITED',
      message: 'box:a is limited to 10/hour for you.',
      hint: 'Try again in 360 s.',
      data: { retryAfterMs: 360_000, limit: 10, remaining: 0, resetMs: 3_600_000 },
    })
    expect(error.spec).toMatchObject({ http: 429, retryable: true })
    expect(ran).toHaveLength(10)
    expect(metrics.render()).toContain('weir_rate_limited_total{tool="box:a"} 1\n')
    await clock.advance(360_000)
    expect(await call(tool)).toBe('ok')
  })

  it.each([
    ['caller', ['ok', refused, 'ok', 'ok', 'ok', 'ok']],
    ['tool', ['ok', refused, refused, refused, 'ok', 'ok']],
    ['connection', ['ok', refused, refused, refused, refused, 'ok']],
    ['all', ['ok', refused, refused, refused, refused, refused]],
  ] as const)('D2-093: per %s is shared by those who share it', async (per, expected) => {
    const { call, by } = start(one(per))
    const answers = [
      await call(tool, by('ada')),
      await call(tool, by('ada')),
      await call(tool, by('bob')),
      await call(tool, by('ada', 'elsewhere')),
      await call(sibling, by('ada')),
      await call(foreign, by('ada')),
    ]
    expect(answers).toEqual(expected)
  })

  it('S5: is not shared by callers whose names run into each other', async () => {
    const { call, by } = start(one('caller'))
    expect(await call(tool, by('b', 'a:1'))).toBe('ok')
    expect(await call(tool, by('1:b', 'a'))).toBe('ok')
    expect(await call(tool, by('b\nc', 'a'))).toBe('ok')
    expect(await call(tool, by('c', 'a\nb'))).toBe('ok')
  })

  it('holds beside others, and a refused call takes nothing of any', async () => {
    const { call, by } = start({ limit: '4/minute', per: 'tool' }, { limit: '2/minute', per: 'caller' })
    const counts = { ada: 0, bob: 0, eve: 0 }
    for (const subject of ['ada', 'bob', 'eve'] as const) {
      for (let i = 0; i < 5; i += 1) if ((await call(tool, by(subject))) === 'ok') counts[subject] += 1
    }
    expect(counts).toEqual({ ada: 2, bob: 2, eve: 0 })
  })

  it('written twice takes one token', async () => {
    const { call } = start({ limit: '2/minute', per: 'tool' }, { limit: '2/minute', per: 'tool' })
    expect([await call(tool), await call(tool), await call(tool)]).toEqual(['ok', 'ok', refused])
  })

  it('of a tool is not spent by asking about its task; one of the connection is', async () => {
    const control = { ...tool, target: { ...tool.target, kind: 'task-control' } } as Entry
    const own = start(one('caller'), one('tool', { limit: '3/minute' }))
    for (let i = 0; i < 5; i += 1) expect(await own.call(control)).toBe('ok')
    const shared = start(one('connection'))
    expect([await shared.call(control), await shared.call(control)]).toEqual(['ok', refused])
  })

  it('tells how the caller stands, let through or not', async () => {
    const { call } = start({ limit: '2/minute', per: 'caller' })
    const told: Standing[] = []
    const onStanding = (standing: Standing) => told.push(standing)
    for (let i = 0; i < 3; i += 1) await call(tool, { onStanding })
    expect(told.map(({ remaining }) => remaining)).toEqual([1, 0, 0])
  })
})

describe('B-103, D3-111: a limit that calls wait for', () => {
  const rule: RateRule = { limit: '10/second', burst: 1, per: 'connection', waits: true }

  it('lets each through when it has its token, in the order they came', async () => {
    const { call, clock, ran } = start(rule)
    const calls = ['1', '2', '3'].map((id) => call(id === '2' ? sibling : tool, { id }))
    await clock.advance(0)
    expect(ran.map(({ id }) => id)).toEqual(['1'])
    await clock.advance(99)
    expect(ran).toHaveLength(1)
    await clock.advance(1)
    expect(ran.map(({ id }) => id)).toEqual(['1', '2'])
    await clock.advance(100)
    expect(ran.map(({ id }) => id)).toEqual(['1', '2', '3'])
    expect(await Promise.all(calls)).toEqual(['ok', 'ok', 'ok'])
    expect(clock.pendingMs).toEqual([])
  })

  it('refuses at once what cannot have one before its deadline', async () => {
    const { call, ran } = start({ ...rule, limit: '1/minute' })
    const cancellation = new Cancellation()
    cancellation.tightenDeadline(30_000)
    await call(tool)
    expect(await call(tool, { cancellation })).toEqual(refused)
    expect(ran).toHaveLength(1)
  })

  it('lets go of a call that is cancelled, whether first in line or not, and of nothing else', async () => {
    const { call, clock, ran } = start(rule)
    await call(tool)
    const stops = [new Cancellation(), new Cancellation(), new Cancellation()]
    const calls = stops.map((cancellation) => call(tool, { cancellation }))
    await clock.advance(0)
    const left = new WeirError('CANCELLED', 'The client left.')
    stops[1]!.cancel(left)
    stops[0]!.cancel(left)
    expect(await Promise.all(calls.slice(0, 2))).toEqual([left, left])
    await clock.advance(100)
    expect(await calls[2]).toBe('ok')
    expect(ran).toHaveLength(2)
  })

  it('refuses whoever comes when too many wait', async () => {
    const { call, clock } = start(rule)
    await call(tool)
    const waiting = [call(tool), call(tool), call(tool)]
    expect(await call(tool)).toEqual(refused)
    await clock.advance(300)
    expect(await Promise.all(waiting)).toEqual(['ok', 'ok', 'ok'])
  })

  it('refuses where another limit that nobody waits for is used up', async () => {
    const { call } = start(rule, one('caller'))
    await call(tool)
    expect(await call(tool)).toEqual(refused)
  })
})
