import { WeirError } from '../../../core/error.ts'
import type { InputRequired } from '../../../core/outcome.ts'
import type { RequestMeta } from '../../../wire/model.ts'
import { missingCapability, readQuestion } from '../../../wire/questions.ts'
import type { Exchange } from '../exchange.ts'
import type { StateBinding } from '../request-state.ts'
import type { MethodParts } from './method-parts.ts'

/** The protocol forbids to ask a client what it did not say it can answer. Throws MISSING_CAPABILITY. */
function checkAnswerable(
  { questions }: InputRequired,
  { clientCapabilities }: RequestMeta,
  id: string,
): void {
  const requiredCapabilities: Record<string, object> = {}
  for (const value of Object.values(questions)) {
    const question = readQuestion(value)
    const missing = question === undefined ? {} : missingCapability(question, clientCapabilities)
    for (const [name, parts] of Object.entries(missing ?? {}))
      requiredCapabilities[name] = { ...requiredCapabilities[name], ...Object(parts) }
  }
  const names = Object.keys(requiredCapabilities)
  if (names.length === 0) return
  throw new WeirError('MISSING_CAPABILITY', `${id} asks its user for ${names.join(' and ')}.`, {
    hint: 'Declare the capability with the call, if the client can carry the question.',
    data: { requiredCapabilities },
  })
}

/** What a call asks its modern client; one of the old era was asked while its call ran. */
export function renderQuestions(
  { states, server }: MethodParts,
  { revision, meta }: Exchange,
  required: InputRequired,
  binding: StateBinding,
): string {
  try {
    checkAnswerable(required, meta, binding.id)
  } catch (error) {
    required.abandon?.()
    throw error
  }
  const members = revision.resultMembers(server).replace('"complete"', '"input_required"')
  const body = JSON.stringify({
    inputRequests: required.questions,
    requestState: states.seal(required.resume, binding),
  })
  return `${body.slice(0, -1)}${members}}`
}
