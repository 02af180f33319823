import type { Entry } from '../../../core/catalog.ts'
import { WeirError } from '../../../core/error.ts'
import type { Outcome, Result } from '../../../core/outcome.ts'
import type { Exchange } from '../exchange.ts'
import { executeAsking } from '../questions/execute-asking.ts'
import { renderPending } from '../rendering/render-pending.ts'
import type { StateBinding } from '../request-state.ts'
import { createCall } from './create-call.ts'
import type { MethodParts } from './method-parts.ts'
import { renderQuestions } from './render-questions.ts'
import { renderStarted } from './tasks.ts'

/** What is to run. */
export interface Asked {
  readonly entry: Entry
  readonly input: unknown
}

/** The one way from a request to a target of any kind: its result's JSON text, or its questions'. Throws why it failed. */
export async function runTarget(
  parts: MethodParts,
  exchange: Exchange,
  { entry, input }: Asked,
  render: (result: Result) => string,
): Promise<string> {
  const binding: StateBinding = { caller: exchange.caller, id: entry.id, input }
  const outcome = await executeAsking(parts.executor, exchange, createCall(parts, exchange, entry, binding))
  switch (outcome.kind) {
    case 'complete':
      return render(showDegradation(outcome))
    case 'input-required':
      // The protocol lets tools, resources and prompts ask, and nothing else.
      if (entry.target.kind === 'completion' || entry.target.kind === 'task-control') {
        outcome.required.abandon?.()
        throw cannotAsk(entry)
      }
      return renderQuestions(parts, exchange, outcome.required, binding)
    case 'task':
      return renderStarted(parts, exchange, entry, outcome.started)
    case 'pending':
      return renderPending(outcome.pending, exchange.revision, parts.server)
    case 'failed':
      throw outcome.error
  }
}

function cannotAsk({ id }: Entry): WeirError {
  return new WeirError('UPSTREAM_PROTOCOL', `${id} asks a question where it may not.`, {
    hint: 'Its maker must mend that.',
  })
}

/** An answer that is not the tool's own says so beside it, in the one place that every client leaves alone. */
function showDegradation({ result, degraded }: Outcome & { readonly kind: 'complete' }): Result {
  if (degraded === undefined) return result
  return { ...result, _meta: { ...result._meta, 'weir/degraded': degraded } }
}
