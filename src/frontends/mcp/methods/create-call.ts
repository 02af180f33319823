import type { Call } from '../../../core/call.ts'
import type { Entry } from '../../../core/catalog.ts'
import type { InputAnswers } from '../../../core/outcome.ts'
import { isObject } from '../../../core/parse-json.ts'
import { nextCallId } from '../../shared/next-call-id.ts'
import { readIdempotencyKey } from '../../shared/read-idempotency-key.ts'
import { createEmit, wantedLogLevel } from '../emit.ts'
import type { Exchange } from '../exchange.ts'
import { readCapabilities } from '../questions/execute-asking.ts'
import type { RequestStates, StateBinding } from '../request-state.ts'
import type { MethodParts } from './method-parts.ts'

/** R2: the member of a request’s `_meta` that names its call. */
const keyMember = 'weir/idempotencyKey'

/** The call that a request asks for, with everything its client said about itself. */
export function createCall(
  { states }: MethodParts,
  exchange: Exchange,
  entry: Entry,
  binding: StateBinding,
): Call {
  const { request, meta, caller, cancellation } = exchange
  const emit = createEmit(exchange)
  const logLevel = wantedLogLevel(exchange)
  // What a task is told is the task's own affair, whatever its parameters are called.
  const isAboutTask = entry.target.kind === 'task-control'
  const answers = isAboutTask ? undefined : readAnswers(states, request.params, binding)
  const clientCapabilities = readCapabilities(exchange)
  const idempotencyKey = readIdempotencyKey(meta.forward?.[keyMember], `_meta["${keyMember}"]`)
  return {
    id: nextCallId(),
    entry,
    input: binding.input,
    caller,
    cancellation,
    via: 'mcp',
    clientCapabilities,
    wantsProgress: emit !== undefined && meta.progressToken !== undefined,
    ...(meta.forward === undefined ? {} : { meta: meta.forward }),
    ...(emit === undefined || logLevel === undefined ? {} : { logLevel }),
    ...(answers === undefined ? {} : { answers }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(emit === undefined ? {} : { emit }),
  }
}

function readAnswers(
  states: RequestStates,
  { inputResponses, requestState }: Record<string, unknown>,
  binding: StateBinding,
): InputAnswers | undefined {
  if (inputResponses === undefined && requestState === undefined) return undefined
  const resume = requestState === undefined ? undefined : states.open(requestState, binding)
  return {
    responses: isObject(inputResponses) ? inputResponses : {},
    ...(resume === undefined ? {} : { resume }),
  }
}
