import type { Entry } from '../../../core/catalog.ts'
import type { Result } from '../../../core/outcome.ts'
import type { Exchange } from '../exchange.ts'
import type { StateBinding } from '../request-state.ts'
import { createCall } from './create-call.ts'
import { type MethodParts, settleMaxMs } from './method-parts.ts'
import { renderQuestions } from './render-questions.ts'

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
  const outcome = await parts.executor.execute(createCall(parts, exchange, entry, binding))
  switch (outcome.kind) {
    case 'complete':
      return render(outcome.result)
    case 'input-required':
      return renderQuestions(parts, exchange, outcome.required, binding)
    case 'failed':
      throw outcome.error
  }
}

/** What is not there may belong to a connection that is still starting (R6). */
export async function findSoon<T>(
  { catalog }: MethodParts,
  find: () => T | undefined,
): Promise<T | undefined> {
  const found = find()
  if (found !== undefined || !catalog.connections().some(({ state }) => state === 'starting')) return found
  await catalog.settled(settleMaxMs)
  return find()
}
