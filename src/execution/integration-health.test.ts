import { describe, expect, it } from 'vitest'
import { createMetrics } from '../telemetry/metrics.ts'
import { createFakeClock } from '../testing/fake-clock.ts'
import { createIntegrationHealth } from './integration-health.ts'

function setUp() {
  const clock = createFakeClock()
  const metrics = createMetrics()
  const health = createIntegrationHealth({ clock, metrics })
  const record = (successes: number, failures: number, seconds = 0.1) => {
    for (let i = 0; i < successes; i += 1) health.of('db').record(seconds, true)
    for (let i = 0; i < failures; i += 1) health.of('db').record(seconds, false)
  }
  return { clock, metrics, health, record, report: () => health.report()['db']! }
}

describe('D0-111, C-17: the health of a connection', () => {
  it.each([
    ['healthy', 95, 5],
    ['degraded', 94, 6],
    ['degraded', 80, 20],
    ['unhealthy', 79, 21],
    ['unhealthy', 0, 100],
  ])('B-31: is %s with %i successes and %i failures', (status, successes, failures) => {
    const { record, report } = setUp()
    record(successes, failures)
    expect(report()).toMatchObject({ status, total_calls: 100, success_rate: successes / 100 })
  })

  it('B-31: is not judged by fewer than ten calls', () => {
    const { record, report } = setUp()
    record(0, 9)
    expect(report().status).toBe('idle')
    record(0, 1)
    expect(report().status).toBe('unhealthy')
  })

  it('D0-110, B-40: has the document’s figures, each connection its own', () => {
    const { health, record, report } = setUp()
    record(10, 0, 0.2)
    record(10, 0, 0.4)
    health.of('api').record(1, false)
    expect(Object.keys(health.report())).toEqual(['db', 'api'])
    expect(report()).toMatchObject({ status: 'healthy', success_rate: 1, total_calls: 20 })
    expect(report().avg_response_time).toBeCloseTo(0.3)
  })

  it('B-32: has percentiles, at most half as much again too high', () => {
    const { health, report } = setUp()
    for (let i = 1; i <= 1_000; i += 1) health.of('db').record(i / 1_000, true)
    const { p50_response_time: p50, p95_response_time: p95, p99_response_time: p99 } = report()
    for (const [read, real] of [
      [p50, 0.5],
      [p95, 0.95],
      [p99, 0.99],
    ] as const) {
      expect(read).toBeGreaterThanOrEqual(real)
      expect(read).toBeLessThanOrEqual(real * 1.5)
    }
    health.of('db').record(86_400, true)
    expect(report().p99_response_time).toBeLessThan(1_000)
  })
})

describe('B-32: the window', () => {
  it('shows an outage at once and forgets it after five minutes', async () => {
    const { clock, record, report } = setUp()
    record(10_000, 0)
    await clock.advance(300_000)
    record(0, 20)
    expect(report()).toMatchObject({ status: 'unhealthy', total_calls: 20 })
    await clock.advance(200_000)
    record(20, 0)
    expect(report()).toMatchObject({ status: 'unhealthy', success_rate: 0.5, total_calls: 40 })
    await clock.advance(100_000)
    expect(report()).toMatchObject({ status: 'healthy', total_calls: 20 })
    await clock.advance(10_000_000)
    expect(report()).toEqual({
      status: 'idle',
      success_rate: null,
      avg_response_time: null,
      total_calls: 0,
      p50_response_time: null,
      p95_response_time: null,
      p99_response_time: null,
    })
  })

  it('R18: does not move with the wall clock', () => {
    const { clock, record, report } = setUp()
    record(10, 0)
    clock.setNow(clock.now() + 3_600_000)
    expect(report().total_calls).toBe(10)
  })
})

it('is exported, as far as there is something to say', () => {
  const { metrics, record, health } = setUp()
  health.of('quiet')
  record(9, 1)
  const lines = metrics.render().split('\n')
  expect(lines).toContain('weir_integration_calls{connection="db"} 10')
  expect(lines).toContain('weir_integration_success_ratio{connection="db"} 0.9')
  expect(lines).toContain('weir_integration_health{connection="db"} 0.5')
  expect(lines.some((line) => line.startsWith('weir_integration_p95_seconds{connection="db"} 0.1'))).toBe(
    true,
  )
  expect(lines).toContain('weir_integration_calls{connection="quiet"} 0')
  expect(lines.filter((line) => line.includes('quiet'))).toHaveLength(1)
})
