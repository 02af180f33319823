import type { Clock } from '../core/clock.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { createPerConnection } from './per-connection.ts'

/** `idle`: too few calls in the window to say anything. */
export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy' | 'idle'

/** D0-111, of the calls of the last five minutes. Times are in seconds, and null where there were no calls. */
export interface IntegrationReport {
  readonly status: HealthStatus
  readonly success_rate: number | null
  readonly avg_response_time: number | null
  readonly total_calls: number
  readonly p50_response_time: number | null
  readonly p95_response_time: number | null
  readonly p99_response_time: number | null
}

/** How the connections do, by what their calls came to. */
export interface IntegrationHealth {
  /** Where to count the calls of one connection. */
  of(connection: string): { record(seconds: number, isSuccess: boolean): void }
  /** D0-111: of every connection that was called, by name. */
  report(): Readonly<Record<string, IntegrationReport>>
}

/** B-32: an outage is seen while it lasts, and forgotten when it is over. */
const slots = { count: 30, ms: 10_000 }
/** Fewer calls than these are no ground for a verdict (B-31). */
const callsMin = 10
const least = { healthy: 0.95, degraded: 0.8 }
/** Upper bounds of times in seconds, each 1.5 times the one before: a percentile is at most that much too high. */
const bounds = Float64Array.from({ length: 36 }, (_, i) => 0.0005 * 1.5 ** i)

/** One window a connection, in memory that does not grow with calls. */
export function createIntegrationHealth(parts: {
  readonly clock: Clock
  readonly metrics: Metrics
}): IntegrationHealth {
  const { clock, metrics } = parts
  const windows = createPerConnection(() => new HealthWindow(clock))
  const show = (name: string, help: string, read: (report: IntegrationReport) => number | null) =>
    metrics.collect(name, help, 'gauge', () =>
      [...windows.entries()].flatMap(([connection, window]) => {
        const value = read(window.report())
        return value === null ? [] : [{ labels: { connection }, value }]
      }),
    )
  show('weir_integration_calls', 'Calls of the last five minutes.', (report) => report.total_calls)
  show('weir_integration_success_ratio', 'Share of these that succeeded.', (report) => report.success_rate)
  show('weir_integration_p95_seconds', 'Their 95th percentile.', (report) => report.p95_response_time)
  show(
    'weir_integration_health',
    '1 healthy, 0.5 degraded, 0 unhealthy.',
    ({ status }) => healthValues[status],
  )
  return {
    of: (connection) => windows.of(connection),
    report: () => Object.fromEntries([...windows.entries()].map(([name, window]) => [name, window.report()])),
  }
}

const healthValues: Readonly<Record<HealthStatus, number | null>> = {
  healthy: 1,
  degraded: 0.5,
  unhealthy: 0,
  idle: null,
}

class Slot {
  successes = 0
  failures = 0
  seconds = 0
  readonly counts = new Uint32Array(bounds.length + 1)

  clear(): void {
    this.successes = 0
    this.failures = 0
    this.seconds = 0
    this.counts.fill(0)
  }
}

class HealthWindow {
  readonly #clock: Clock
  readonly #slots = Array.from({ length: slots.count }, () => new Slot())
  #at: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#at = this.#now()
  }

  #now(): number {
    return Math.floor(this.#clock.monotonicMs() / slots.ms)
  }

  /** Clears what has become too old. */
  #advance(): void {
    const at = this.#now()
    if (at === this.#at) return
    for (let i = Math.max(this.#at + 1, at - slots.count + 1); i <= at; i += 1)
      this.#slots[i % slots.count]!.clear()
    this.#at = at
  }

  record(seconds: number, isSuccess: boolean): void {
    this.#advance()
    const slot = this.#slots[this.#at % slots.count]!
    if (isSuccess) slot.successes += 1
    else slot.failures += 1
    slot.seconds += seconds
    let i = 0
    while (i < bounds.length && seconds > bounds[i]!) i += 1
    slot.counts[i]! += 1
  }

  report(): IntegrationReport {
    this.#advance()
    const total = new Slot()
    for (const slot of this.#slots) {
      total.successes += slot.successes
      total.failures += slot.failures
      total.seconds += slot.seconds
      for (let i = 0; i < total.counts.length; i += 1) total.counts[i]! += slot.counts[i]!
    }
    const calls = total.successes + total.failures
    const rate = total.successes / calls
    const percentile = (share: number) => (calls === 0 ? null : findPercentile(total.counts, calls * share))
    return {
      status: calls < callsMin ? 'idle' : judge(rate),
      success_rate: calls === 0 ? null : rate,
      avg_response_time: calls === 0 ? null : total.seconds / calls,
      total_calls: calls,
      p50_response_time: percentile(0.5),
      p95_response_time: percentile(0.95),
      p99_response_time: percentile(0.99),
    }
  }
}

function judge(rate: number): HealthStatus {
  if (rate < least.degraded) return 'unhealthy'
  return rate < least.healthy ? 'degraded' : 'healthy'
}

/** The bound of the bucket that holds the call of this rank. */
function findPercentile(counts: Uint32Array, rank: number): number {
  let seen = 0
  for (let i = 0; i < bounds.length; i += 1) {
    seen += counts[i]!
    if (seen >= rank) return bounds[i]!
  }
  return bounds.at(-1)!
}
