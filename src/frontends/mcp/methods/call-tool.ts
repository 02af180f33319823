import type { Entry } from '../../../core/catalog.ts'
import { WeirError } from '../../../core/error.ts'
import { isObject } from '../../../core/parse-json.ts'
import type { Tool } from '../../../core/tool.ts'
import type { Exchange } from '../exchange.ts'
import { renderFailure, renderResult } from '../render-result.ts'
import type { StateBinding } from '../request-state.ts'
import { createCall } from './create-call.ts'
import { type MethodParts, settleMaxMs } from './method-parts.ts'
import { renderQuestions } from './render-questions.ts'

/** Answers `tools/call`. */
export async function callTool(parts: MethodParts, exchange: Exchange): Promise<string> {
  const { request, revision, caller } = exchange
  const { name, arguments: input = {} } = request.params
  const entry = await findTool(parts, exchange, name)
  if (!isObject(input)) {
    throw new WeirError('INVALID_PARAMS', '"arguments" must be an object.', {
      hint: 'Leave it out for none.',
    })
  }
  exchange.checkInput?.(entry, input)
  const binding: StateBinding = { caller, id: entry.id, input }
  const outcome = await parts.executor.execute(createCall(parts, exchange, entry, binding))
  switch (outcome.kind) {
    case 'complete':
      return renderResult(outcome.result, revision, parts.server)
    case 'input-required':
      return renderQuestions(parts, exchange, outcome.required, binding)
    case 'failed':
      if (outcome.error.spec.mcp !== 'isError') throw outcome.error
      return renderFailure(outcome.error, entry.target, revision, parts.server)
  }
}

/** A tool that is not there may belong to a connection that is still starting. */
async function findTool({ catalog }: MethodParts, { view }: Exchange, name: unknown): Promise<Entry<Tool>> {
  if (typeof name !== 'string') {
    throw new WeirError('INVALID_PARAMS', '"name" must be a string.', { hint: 'Name the tool to call.' })
  }
  let entry = view.tools.find(name)
  if (entry === undefined && catalog.connections().some(({ state }) => state === 'starting')) {
    await catalog.settled(settleMaxMs)
    entry = view.tools.find(name)
  }
  if (entry === undefined) {
    throw new WeirError('TOOL_NOT_FOUND', `Tool ${JSON.stringify(name.slice(0, 200))} not found.`, {
      hint: 'tools/list names those there are.',
    })
  }
  return entry
}
