import type { Clock } from '../../core/clock.ts'
import type { Outcome } from '../../core/outcome.ts'
import type { Stage } from '../../core/policy.ts'
import type { Metrics } from '../../telemetry/metrics.ts'

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
      return (call) => {
        active += 1
        const startMs = clock.monotonicMs()
        const finish = (ok: boolean) => {
          active -= 1
          ;(ok ? success : failure).value += 1
          duration.observe((clock.monotonicMs() - startMs) / 1000)
        }
        return next(call).then(
          (outcome) => {
            finish(isSuccess(outcome))
            return outcome
          },
          (thrown) => {
            finish(false)
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

/** A tool that answers with an error has failed, however politely (B-06). */
function isSuccess(outcome: Outcome): boolean {
  if (outcome.kind === 'complete') return outcome.result.isError !== true
  return outcome.kind !== 'failed'
}
