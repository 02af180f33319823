import type { Call } from '../../core/call.ts'
import { toWeirError } from '../../core/error.ts'
import type { Stage } from '../../core/policy.ts'
import type { Tracer } from '../../core/trace.ts'
import { failureOf, methodOf } from '../describe-call.ts'

/**
 * Records each sampled call as a span, and hands its name on: to the system behind the tool, and to the log. It stands
 * outermost, so that refusals are seen too.
 */
export function createTraceStage(tracer: Tracer | undefined): Stage {
  return {
    name: 'trace',
    wrap({ id, connection, target }, _policy, next) {
      if (tracer === undefined) return next
      const method = methodOf(target.kind)
      const name = target.kind === 'tool' ? `${method} ${target.name}` : method
      const attributes = {
        'mcp.method.name': method,
        'weir.connection': connection,
        'weir.target': id,
        ...(target.kind === 'tool'
          ? { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': target.name }
          : {}),
      }
      return (call) => {
        const parent = call.meta?.['traceparent']
        const span = tracer.start(name, attributes, parent as string | undefined)
        if (span === undefined) return next(call)
        span.set({ 'weir.via': call.via, 'weir.call': call.id })
        const traced: Call = { ...call, span, meta: { ...call.meta, traceparent: span.traceparent } }
        return next(traced).then(
          (outcome) => {
            span.end(failureOf(outcome))
            return outcome
          },
          (thrown) => {
            span.end((call.cancellation.reason ?? toWeirError(thrown)).code)
            throw thrown
          },
        )
      }
    },
  }
}

/** What reaches the tool, as a span of its own: a retried call has several. Innermost. */
export const traceAttemptStage: Stage = {
  name: 'trace-attempt',
  wrap({ target }, _policy, next) {
    const name = `${methodOf(target.kind)} ${target.name}`
    return (call) => {
      if (call.span === undefined) return next(call)
      const span = call.span.child(name)
      const traced: Call = { ...call, span, meta: { ...call.meta, traceparent: span.traceparent } }
      return next(traced).then(
        (outcome) => {
          span.end(failureOf(outcome))
          return outcome
        },
        (thrown) => {
          span.end(toWeirError(thrown).code)
          throw thrown
        },
      )
    }
  },
}
