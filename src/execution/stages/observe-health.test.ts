import { expect, it } from 'vitest'
import type { Run } from '../../core/call.ts'
import { Cancellation } from '../../core/cancellation.ts'
import { type ErrorCode, WeirError } from '../../core/error.ts'
import { tellFault } from '../../core/outcome.ts'
import { createMetrics } from '../../telemetry/metrics.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { createCall, createEntry, policy } from '../call.fixture.ts'
import { createIntegrationHealth } from '../integration-health.ts'
import { createHealthStage } from './observe-health.ts'

/** What one call, which takes a second, leaves in its connection's health. */
async function observe(next: Run, cancellation = new Cancellation()) {
  const clock = createFakeClock()
  const health = createIntegrationHealth({ clock, metrics: createMetrics() })
  const entry = createEntry()
  const run = createHealthStage(health, clock).wrap(entry, policy, async (call) => {
    await clock.advance(1_000)
    return next(call)
  })
  await run(createCall(entry, { cancellation })).catch(() => {})
  const { total_calls: calls, success_rate: rate, avg_response_time: seconds } = health.report()['box']!
  return { calls, rate, seconds }
}
const fail =
  (code: ErrorCode): Run =>
  () =>
    Promise.reject(new WeirError(code, 'no'))

it('D0-110: an answer counts as a success, with its time, also one that is an error of the tool’s own', async () => {
  const success = { calls: 1, rate: 1, seconds: 1 }
  expect(await observe(async () => ({ kind: 'complete', result: {} }))).toEqual(success)
  expect(await observe(async () => ({ kind: 'complete', result: { isError: true } }))).toEqual(success)
  expect(await observe(fail('SQL_ERROR'))).toEqual(success)
})

it.each<ErrorCode>([
  'UPSTREAM_FAILED',
  'DEADLINE_EXCEEDED',
  'CONNECTION_UNAVAILABLE',
  'CIRCUIT_OPEN',
  'INTERNAL',
])('%s counts as a failure', async (code) => {
  expect(await observe(fail(code))).toMatchObject({ calls: 1, rate: 0 })
})

it('an answer that shows its system at fault, or stands in for one, counts as a failure', async () => {
  const fault = new WeirError('UPSTREAM_FAILED', 'no')
  const result = tellFault({ isError: true }, fault)
  const degraded = { reason: 'no', code: 'CIRCUIT_OPEN' } as const
  expect(await observe(async () => ({ kind: 'complete', result }))).toMatchObject({ rate: 0 })
  expect(await observe(async () => ({ kind: 'complete', result: {}, degraded }))).toMatchObject({ rate: 0 })
})

it.each<ErrorCode>([
  'CANCELLED',
  'INVALID_INPUT',
  'OVERLOADED',
  'QUALITY_REJECTED',
])('%s says nothing of the system', async (code) => {
  expect(await observe(fail(code))).toMatchObject({ calls: 0 })
})

it('a call that its caller left says nothing, whatever was thrown then', async () => {
  const cancellation = new Cancellation()
  cancellation.cancel(new WeirError('CANCELLED', 'left'))
  expect(await observe(fail('UPSTREAM_UNREACHABLE'), cancellation)).toMatchObject({ calls: 0 })
})
