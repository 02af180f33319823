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
    wrap({ id }, _policy, next) {
      const count = (status: string) =>
        metrics.counter('mcp_tool_executions_total', 'Tool executions by outcome.', { tool: id, status })
      const success = count('success')
      const failure = count('failure')
      const duration = metrics.histogram('mcp_tool_duration_seconds', 'Duration of tool executions.', {
        tool: id,
      })
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

/** A tool that answers with an error has failed, however politely (B-06). */
function isSuccess(outcome: Outcome): boolean {
  return outcome.kind === 'input-required' || (outcome.kind === 'complete' && outcome.result.isError !== true)
}
