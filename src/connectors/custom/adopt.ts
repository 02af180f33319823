import { WeirError } from '../../core/error.ts'
import { errorCatalogue } from '../../core/error-catalogue.ts'
import { type Answer, InputRequired } from '../../core/outcome.ts'
import { isObject } from '../../core/parse-json.ts'

/**
 * A module may have a Weir of its own installed, whose classes are others than ours. Its errors are taken for what they
 * say they are; all else that is thrown stays as it is.
 */
export function adoptError(thrown: unknown): unknown {
  if (thrown instanceof WeirError || !(thrown instanceof Error) || thrown.name !== 'WeirError') return thrown
  const { code, message, hint, data } = thrown as WeirError
  if (!Object.hasOwn(errorCatalogue, code)) return thrown
  return new WeirError(code, message, {
    ...(typeof hint === 'string' ? { hint } : {}),
    ...(isObject(data) ? { data } : {}),
    cause: thrown,
  })
}

/** The same for what a target answers. Throws INVALID_OUTPUT where that is no answer at all. */
export function adoptAnswer(answer: unknown, name: string): Answer {
  if (!isObject(answer))
    throw new WeirError(
      'INVALID_OUTPUT',
      `${name} answered with ${answer === null ? 'null' : typeof answer}.`,
      {
        hint: 'Its maker must have it answer with `structuredContent` or `content`.',
      },
    )
  if (answer instanceof InputRequired || answer.constructor?.name !== 'InputRequired') return answer as Answer
  const { questions, resume, abandon } = answer as unknown as InputRequired
  return new InputRequired(questions, resume, abandon)
}
