import { describe, expect, it } from 'vitest'
import type { Run } from '../../core/call.ts'
import { Cancellation } from '../../core/cancellation.ts'
import { WeirError } from '../../core/error.ts'
import { InputRequired, type Outcome, TaskStarted } from '../../core/outcome.ts'
import type { Tool } from '../../core/tool.ts'
import { createMetrics } from '../../telemetry/metrics.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { createCall, createEntry, policy } from '../call.fixture.ts'
import { createExecutor } from '../executor.ts'
import { createPartsWithoutStore } from '../pipeline.fixture.ts'
import { createStages } from '../pipeline.ts'
import { silentLog } from '../silent-log.fixture.ts'
import { createMeasureStage } from './measure.ts'

function setUp(next: Run, tool: Partial<Tool> = {}) {
  const clock = createFakeClock()
  const metrics = createMetrics()
  const entry = createEntry(tool)
  const run = createMeasureStage(metrics, clock).wrap(entry, policy, next)
  const lines = () => metrics.render().split('\n')
  const readValue = (series: string) =>
    Number(
      lines()
        .find((line) => line.startsWith(`${series} `))
        ?.slice(series.length),
    )
  const counts = () => ({
    success: readValue('mcp_tool_executions_total{tool="box:echo",status="success"}'),
    failure: readValue('mcp_tool_executions_total{tool="box:echo",status="failure"}'),
    active: readValue('mcp_active_tools'),
  })
  return { clock, run: () => run(createCall(entry)), lines, readValue, counts }
}

const done: Outcome = { kind: 'complete', result: {} }

describe('the metrics of a call', () => {
  it('D4-083, D4-084, D4-085: bear the document’s names, types and labels, and no others', async () => {
    const { run, lines } = setUp(async () => done)
    await run()
    expect(lines().filter((line) => line.startsWith('# TYPE'))).toEqual([
      '# TYPE mcp_active_tools gauge',
      '# TYPE mcp_tool_executions_total counter',
      '# TYPE mcp_tool_duration_seconds histogram',
      // OpenTelemetry's own name for the same, by method and error (C-16).
      '# TYPE mcp_server_operation_duration_seconds histogram',
    ])
    expect(lines()).toContain('mcp_active_tools 0')
    expect(lines()).toContain('mcp_tool_executions_total{tool="box:echo",status="success"} 1')
    expect(lines()).toContain('mcp_tool_executions_total{tool="box:echo",status="failure"} 0')
    expect(lines()).toContain('mcp_tool_duration_seconds_count{tool="box:echo"} 1')
  })

  it('of anything but a tool are counted apart, so that asking about a task is no execution of its tool', async () => {
    const { run, lines } = setUp(async () => done, { kind: 'task-control' as 'tool' })
    await run()
    expect(lines()).toContain('weir_requests_total{target="box:echo",kind="task-control",status="success"} 1')
    expect(lines()).toContain('weir_request_duration_seconds_count{target="box:echo",kind="task-control"} 1')
    expect(lines().join()).not.toContain('mcp_tool_executions_total{')
  })

  it.each<[string, Run, 'success' | 'failure']>([
    ['a task begun', async () => ({ kind: 'task', started: new TaskStarted({ taskId: 't' }) }), 'success'],
    ['an answer', async () => done, 'success'],
    ['a question', async () => ({ kind: 'input-required', required: new InputRequired({}) }), 'success'],
    [
      'B-06: an answer that says it is an error',
      async () => ({ kind: 'complete', result: { isError: true } }),
      'failure',
    ],
    ['a failed outcome', async () => ({ kind: 'failed', error: new WeirError('INTERNAL', 'x') }), 'failure'],
    ['an error', () => Promise.reject(new WeirError('SQL_ERROR', 'x')), 'failure'],
    ['what is no error', () => Promise.reject(undefined), 'failure'],
  ])('count %s, and the gauge is back at 0', async (_, next, status) => {
    const { run, counts } = setUp(next)
    await run().catch(() => {})
    expect(counts()).toEqual({ success: 0, failure: 0, active: 0, [status]: 1 })
  })

  it('pass the outcome and the error on as they are', async () => {
    const error = new Error('x')
    await expect(setUp(async () => done).run()).resolves.toBe(done)
    await expect(setUp(() => Promise.reject(error)).run()).rejects.toBe(error)
  })

  it('say how many run now, of all tools together', async () => {
    const ends: (() => void)[] = []
    const { run, counts } = setUp(() => new Promise((resolve) => ends.push(() => resolve(done))))
    const calls = [run(), run(), run()]
    expect(counts().active).toBe(3)
    ends[0]!()
    await calls[0]
    expect(counts().active).toBe(2)
    for (const end of ends) end()
    await Promise.all(calls)
    expect(counts().active).toBe(0)
  })

  it('time calls in seconds, by the monotonic clock', async () => {
    let end = () => {}
    const { clock, run, readValue } = setUp(
      () =>
        new Promise((resolve) => {
          end = () => resolve(done)
        }),
    )
    const call = run()
    clock.setNow(0)
    await clock.advance(40)
    end()
    await call
    expect(readValue('mcp_tool_duration_seconds_sum{tool="box:echo"}')).toBeCloseTo(0.04)
    expect(readValue('mcp_tool_duration_seconds_bucket{tool="box:echo",le="0.025"}')).toBe(0)
    expect(readValue('mcp_tool_duration_seconds_bucket{tool="box:echo",le="0.05"}')).toBe(1)
  })
})

describe('the gauge of active calls, through every stage', () => {
  const never = () => new Promise<never>(() => {})
  const left = new WeirError('CANCELLED', 'The client left.')
  const broken = (() => {
    throw new Error('at once')
  }) as unknown as Tool['run']
  const silent = (async () => undefined) as unknown as Tool['run']

  it.each<[string, Partial<Tool>, unknown]>([
    ['an answer', {}, {}],
    ['a refused input', {}, 'no object'],
    ['a tool that throws at once', { run: broken }, {}],
    ['a tool that answers nothing', { run: silent }, {}],
    ['a tool that never ends', { run: never }, {}],
    [
      'a schema that cannot be used',
      {
        input: {
          '~standard': {
            version: 1,
            vendor: 'x',
            jsonSchema: {
              input: () => {
                throw new Error('x')
              },
            },
          },
        },
      },
      {},
    ],
  ])('is back at 0 after %s, and no timer is left', async (_, tool, input) => {
    const clock = createFakeClock()
    const metrics = createMetrics()
    const stages = createStages({ log: silentLog, metrics, clock, ...createPartsWithoutStore(clock) })
    const executor = createExecutor({ stages, resolvePolicy: () => policy })
    const ended = executor.execute(createCall(createEntry(tool), { input }))
    await clock.advance(policy.timeoutMs)
    await ended
    expect(metrics.render()).toContain('\nmcp_active_tools 0\n')
    expect(clock.pendingMs).toEqual([])
  })

  it('is back at 0 for a caller who left before the call began', async () => {
    const clock = createFakeClock()
    const metrics = createMetrics()
    const executor = createExecutor({
      stages: createStages({ log: silentLog, metrics, clock, ...createPartsWithoutStore(clock) }),
      resolvePolicy: () => policy,
    })
    const cancellation = new Cancellation()
    cancellation.cancel(left)
    expect(await executor.execute(createCall(createEntry(), { cancellation }))).toEqual({
      kind: 'failed',
      error: left,
    })
    expect(metrics.render()).toContain('\nmcp_active_tools 0\n')
    expect(clock.pendingMs).toEqual([])
  })
})
