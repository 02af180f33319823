import { WeirError } from '../../../core/error.ts'
import type { InputRequired } from '../../../core/outcome.ts'
import { isObject } from '../../../core/parse-json.ts'
import type { RequestMeta } from '../../../wire/model.ts'
import type { Exchange } from '../exchange.ts'
import type { StateBinding } from '../request-state.ts'
import type { MethodParts } from './method-parts.ts'

/** Which capability a client must have declared to be asked each kind of question. */
const capabilityOf: Readonly<Record<string, string>> = {
  'elicitation/create': 'elicitation',
  'sampling/createMessage': 'sampling',
  'roots/list': 'roots',
}

/** The protocol forbids to ask a client what it did not say it can answer. Throws MISSING_CAPABILITY. */
function checkAnswerable(
  { questions }: InputRequired,
  { clientCapabilities }: RequestMeta,
  id: string,
): void {
  const missing = Object.values(questions)
    .map((question) => (isObject(question) ? capabilityOf[String(question['method'])] : undefined))
    .filter((name) => name !== undefined && clientCapabilities[name] === undefined)
  if (missing.length === 0) return
  throw new WeirError('MISSING_CAPABILITY', `${id} asks its user for ${missing.join(' and ')}.`, {
    hint: 'Declare the capability with the call, if the client can carry the question.',
    data: { requiredCapabilities: Object.fromEntries(missing.map((name) => [name, {}])) },
  })
}

/** What a call asks its client, in a form that the client can answer. */
export function renderQuestions(
  { states, server }: MethodParts,
  { revision, meta }: Exchange,
  required: InputRequired,
  binding: StateBinding,
): string {
  if (revision.era === 'legacy') {
    throw new WeirError('INPUT_UNSUPPORTED', `${binding.id} asks its user a question.`, {
      hint: 'Connect with a client of revision 2026-07-28.',
    })
  }
  checkAnswerable(required, meta, binding.id)
  const members = revision.resultMembers(server).replace('"complete"', '"input_required"')
  const body = JSON.stringify({
    inputRequests: required.questions,
    requestState: states.seal(required.resume, binding),
  })
  return `${body.slice(0, -1)}${members}}`
}
