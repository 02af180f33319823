import { jsonSchema } from '../../../core/schema.ts'
import type { Tool } from '../../../core/tool.ts'
import { readTraceparent } from '../../../core/trace.ts'
import type { Api } from '../api.ts'
import { renderResult, sendRequest } from '../send-request.ts'
import { buildRequest } from './build-request.ts'
import type { OperationPlan } from './plan-operation.ts'

/** An operation as a tool. Its request goes the way of every request to a named API, and its answer looks like theirs. */
export function toTool(plan: OperationPlan, name: string, api: Api): Tool<Readonly<Record<string, unknown>>> {
  const { description, category, effect, input, output } = plan
  const { timeoutMs } = api.config
  return {
    kind: 'tool',
    ...{ name, description, effect },
    ...(category === undefined ? {} : { category }),
    input: jsonSchema(input),
    ...(output === undefined ? {} : { output: jsonSchema(output) }),
    ...(timeoutMs > 30_000 ? { timeoutMs } : {}),
    run: async (given, { stop, meta }) => {
      const traceparent = readTraceparent(meta?.['traceparent'])
      return renderResult(
        await sendRequest(api, { ...buildRequest(plan, given), traceparent, endpoint: name }, stop),
      )
    },
  }
}
