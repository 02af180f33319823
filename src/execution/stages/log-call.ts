import type { Call } from '../../core/call.ts'
import type { Clock } from '../../core/clock.ts'
import { toWeirError } from '../../core/error.ts'
import type { Stage } from '../../core/policy.ts'
import { traceIdOf } from '../../core/trace.ts'
import type { Log } from '../../telemetry/log.ts'

/** One line a call that fails, `call.finished`; calls that succeed only at level debug, where a line each is wanted. */
export function createLogStage(log: Log, clock: Clock): Stage {
  return {
    name: 'log',
    wrap({ id }, _policy, next) {
      const isQuiet = !log.isDebug
      const fields = (call: Call, startMs: number) => ({
        event: 'call.finished',
        call: call.id,
        tool: id,
        caller: call.caller.subject,
        via: call.via,
        ...(call.span === undefined ? {} : { trace: traceIdOf(call.span.traceparent) }),
        ms: Math.round((clock.monotonicMs() - startMs) * 10) / 10,
      })
      const logFailure = (call: Call, startMs: number, thrown: unknown) => {
        const error = call.cancellation.reason ?? toWeirError(thrown)
        const { audience } = error.spec
        const line = { ...fields(call, startMs), outcome: error.code, error: error.message }
        if (audience === 'caller') log.info(line, 'The call was refused.')
        else log.warn({ ...line, cause: renderCause(error.cause) }, 'The call failed.')
      }
      return (call) => {
        const startMs = clock.monotonicMs()
        return next(call).then(
          (outcome) => {
            const isError = outcome.kind === 'complete' && outcome.result.isError === true
            if (isError || !isQuiet) {
              log.info(
                { ...fields(call, startMs), outcome: isError ? 'tool-error' : outcome.kind },
                'A call ended.',
              )
            }
            return outcome
          },
          (thrown) => {
            logFailure(call, startMs, thrown)
            throw thrown
          },
        )
      }
    },
  }
}

/** The log may hold what the caller may not see. */
function renderCause(cause: unknown): string | undefined {
  if (cause === undefined) return undefined
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
}
