import { describe, expect, it } from 'vitest'
import type { Run } from '../../core/call.ts'
import { type ErrorCode, toWeirError, WeirError } from '../../core/error.ts'
import { type Result, tellFault } from '../../core/outcome.ts'
import type { FallbackRule } from '../../core/policy.ts'
import { jsonSchema } from '../../core/schema.ts'
import type { Tool } from '../../core/tool.ts'
import { createLog } from '../../telemetry/log.ts'
import { createMetrics } from '../../telemetry/metrics.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { createCall, createEntry, policy } from '../call.fixture.ts'
import { createExecutor } from '../executor.ts'
import { createPartsWithoutStore } from '../pipeline.fixture.ts'
import { createStages } from '../pipeline.ts'
import { silentLog } from '../silent-log.fixture.ts'
import { createFallbackStage, type StaleAnswers } from './fallback.ts'

const value = { data: [], from_fallback: true }

interface Given {
  readonly fallback?: FallbackRule
  readonly tool?: Partial<Tool>
  readonly stale?: StaleAnswers
}

function setUp(next: Run, { fallback = { value }, tool = {}, stale }: Given = {}) {
  const lines: Record<string, unknown>[] = []
  const log = createLog((line) => void lines.push(JSON.parse(line)))
  const metrics = createMetrics()
  const entry = createEntry(tool)
  const run = createFallbackStage({ log, metrics, stale }).wrap(entry, { ...policy, fallback }, next)
  return { lines, metrics, run: () => run(createCall(entry)) }
}
const failWith =
  (code: ErrorCode, data = {}): Run =>
  () =>
    Promise.reject(new WeirError(code, `It is ${code}.`, { data }))
const codeOf = (thrown: unknown) => toWeirError(thrown).code

describe('C-26, B-71: where the tool cannot answer, the fallback does', () => {
  it.each<ErrorCode>([
    'CIRCUIT_OPEN',
    'UPSTREAM_UNREACHABLE',
    'UPSTREAM_FAILED',
    'DATABASE_UNAVAILABLE',
    'CONNECTION_UNAVAILABLE',
    'OVERLOADED',
  ])('after %s, and the answer says so', async (code) => {
    const { run } = setUp(failWith(code, { retryAfterMs: 1_000, secret: 'x' }))
    expect(await run()).toEqual({
      kind: 'complete',
      result: { structuredContent: value },
      degraded: { reason: `It is ${code}.`, code, retryAfterMs: 1_000 },
    })
  })

  it('after an answer that shows its system at fault', async () => {
    const fault = new WeirError('UPSTREAM_FAILED', 'status 503')
    const result = tellFault({ isError: true }, fault)
    const { run } = setUp(async () => ({ kind: 'complete', result }))
    expect(await run()).toMatchObject({ degraded: { code: 'UPSTREAM_FAILED' } })
  })

  it('counted, and told under the document’s names (D2-055, D2-061)', async () => {
    const open = setUp(failWith('CIRCUIT_OPEN'))
    await open.run()
    const failed = setUp(failWith('UPSTREAM_FAILED'))
    await failed.run()
    expect([...open.lines, ...failed.lines].map(({ event }) => event)).toEqual([
      'circuit_breaker_fallback',
      'using_fallback_data',
    ])
    expect(open.metrics.render()).toContain('weir_degraded_answers_total{tool="box:echo"} 1\n')
  })
})

describe('B-30: the fallback hides nothing else', () => {
  it.each<ErrorCode>([
    'INVALID_INPUT',
    'SQL_ERROR',
    'UPSTREAM_REFUSED',
    'CANCELLED',
    'OUTCOME_UNKNOWN',
    'INTERNAL',
    'QUALITY_REJECTED',
  ])('%s is told', async (code) => {
    const { run } = setUp(failWith(code))
    expect(codeOf(await run().catch((thrown: unknown) => thrown))).toBe(code)
  })

  it('a bug is told, as it was thrown', async () => {
    const bug = new TypeError('x is undefined')
    await expect(setUp(() => Promise.reject(bug)).run()).rejects.toBe(bug)
  })

  it('nor an answer, however bad', async () => {
    const result = { isError: true }
    expect(await setUp(async () => ({ kind: 'complete', result })).run()).toEqual({
      kind: 'complete',
      result,
    })
  })
})

describe('what is answered', () => {
  const kept: Result = { structuredContent: 'of yesterday' }
  const asked: number[] = []
  const stale = (result?: Result): StaleAnswers => ({
    find(_call, staleMs) {
      asked.push(staleMs)
      return result
    },
  })

  it.each<[string, FallbackRule, Result | undefined, unknown]>([
    ['an old answer first', { staleMs: 5_000, value }, kept, kept],
    ['the value where there is none', { staleMs: 5_000, value }, undefined, { structuredContent: value }],
    ['no old answer where none is allowed', { value }, kept, { structuredContent: value }],
  ])('%s', async (_, fallback, found, result) => {
    const { run } = setUp(failWith('CIRCUIT_OPEN'), { fallback, stale: stale(found) })
    expect(await run()).toMatchObject({ result })
  })

  it('the error where nothing is there', async () => {
    const { run } = setUp(failWith('CIRCUIT_OPEN'), { fallback: { staleMs: 7_000 }, stale: stale() })
    expect(codeOf(await run().catch((thrown: unknown) => thrown))).toBe('CIRCUIT_OPEN')
    expect(asked.at(-1)).toBe(7_000)
  })

  it('no value that breaks the tool’s own output schema', async () => {
    const output = jsonSchema({ type: 'object', required: ['rows'] })
    const { run, lines } = setUp(failWith('CIRCUIT_OPEN'), { tool: { output } })
    expect(codeOf(await run().catch((thrown: unknown) => thrown))).toBe('CIRCUIT_OPEN')
    await run().catch(() => {})
    expect(lines.map(({ event }) => event)).toEqual(['fallback_unfit'])
  })
})

describe('D0-103, D2-051: in the pipeline', () => {
  const start = (tool: Partial<Tool>) => {
    const clock = createFakeClock()
    const stages = createStages({
      ...{ log: silentLog, metrics: createMetrics(), clock },
      ...createPartsWithoutStore(clock),
    })
    const breaker = { failures: 1, recoveryMs: 60_000, successes: 1 }
    const executor = createExecutor({
      stages,
      resolvePolicy: () => ({ timeoutMs: 1_000, fallback: { value }, breaker }),
    })
    const entry = createEntry(tool)
    return { clock, run: () => executor.execute(createCall(entry)) }
  }
  const hang: Tool['run'] = () => new Promise(() => {})

  it('it stands in for a tool that hangs, at the deadline, and for one that is left alone after', async () => {
    const { clock, run } = start({ run: hang })
    const first = run()
    await clock.advance(1_000)
    expect(await first).toMatchObject({ kind: 'complete', degraded: { code: 'DEADLINE_EXCEEDED' } })
    expect(await run()).toMatchObject({ kind: 'complete', degraded: { code: 'CIRCUIT_OPEN' } })
  })

  it('it does not stand in for a write that may have happened', async () => {
    const { clock, run } = start({ run: hang, effect: 'write' })
    const first = run()
    await clock.advance(1_000)
    expect(await first).toMatchObject({ kind: 'failed', error: { code: 'OUTCOME_UNKNOWN' } })
  })
})

it('is not there where it is off, or can find nothing', () => {
  const next: Run = failWith('CIRCUIT_OPEN')
  const stage = createFallbackStage({ log: silentLog, metrics: createMetrics() })
  expect(stage.wrap(createEntry(), policy, next)).toBe(next)
  expect(stage.wrap(createEntry(), { ...policy, fallback: { staleMs: 1 } }, next)).toBe(next)
})
