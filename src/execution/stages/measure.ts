import type { Clock } from '../../core/clock.ts'
import { toWeirError } from '../../core/error.ts'
import type { Stage } from '../../core/policy.ts'
import type { Histogram, Metrics } from '../../telemetry/metrics.ts'
import { failureOf, methodOf } from '../describe-call.ts'

/** Counts calls and their time, under the documents' names (D4-083 to D4-085). Plain fields, read at scrape time. */
export function createMeasureStage(metrics: Metrics, clock: Clock): Stage {
  let active = 0
  metrics.gauge('mcp_active_tools', 'Tool executions running now.', () => active)
  return {
    name: 'measure',
    wrap({ id, target }, _policy, next) {
      const { executions, durations } = series[target.kind === 'tool' ? 'tool' : 'other']
      // Asking about a tool's task is no execution of the tool, though it goes under the tool's id.
      const labels = target.kind === 'tool' ? { tool: id } : { target: id, kind: target.kind }
      const count = (status: string) =>
        metrics.counter(executions.name, executions.help, { ...labels, status })
      const success = count('success')
      const failure = count('failure')
      const duration = metrics.histogram(durations.name, durations.help, labels)
      const operation = createOperation(metrics, methodOf(target.kind))
      return (call) => {
        active += 1
        const startMs = clock.monotonicMs()
        const finish = (failed: string) => {
          active -= 1
          ;(failed === '' ? success : failure).value += 1
          const seconds = (clock.monotonicMs() - startMs) / 1000
          duration.observe(seconds)
          operation(failed).observe(seconds)
        }
        return next(call).then(
          (outcome) => {
            finish(failureOf(outcome) ?? '')
            return outcome
          },
          (thrown) => {
            finish((call.cancellation.reason ?? toWeirError(thrown)).code)
            throw thrown
          },
        )
      }
    },
  }
}

/** The documents' names are for tools; everything else that is read, got or asked is counted apart. */
const series = {
  tool: {
    executions: { name: 'mcp_tool_executions_total', help: 'Tool executions by outcome.' },
    durations: { name: 'mcp_tool_duration_seconds', help: 'Duration of tool executions.' },
  },
  other: {
    executions: {
      name: 'weir_requests_total',
      help: 'Reads, prompts, completions and task requests by outcome.',
    },
    durations: {
      name: 'weir_request_duration_seconds',
      help: 'Duration of reads, prompts, completions and task requests.',
    },
  },
}

/** OpenTelemetry's histogram of a server's operations; `error_type` is empty for those that succeeded. Codes are few. */
function createOperation(metrics: Metrics, method: string): (errorType: string) => Histogram {
  const create = (error_type: string) =>
    metrics.histogram('mcp_server_operation_duration_seconds', 'Duration of requests by MCP method.', {
      mcp_method_name: method,
      error_type,
    })
  const well = create('')
  return (errorType) => (errorType === '' ? well : create(errorType))
}
