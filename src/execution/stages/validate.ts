import type { Call } from '../../core/call.ts'
import type { Entry } from '../../core/catalog.ts'
import { WeirError } from '../../core/error.ts'
import type { Outcome } from '../../core/outcome.ts'
import type { Stage } from '../../core/policy.ts'
import { type Schema, type SchemaIssue, toJsonSchema } from '../../core/schema.ts'
import { compileJsonSchema, type Validator } from '../json-schema-validator.ts'

/** Checks both ways (B-121): what goes in, and what an upstream server answers where it said what it would. */
export const validateStage: Stage = {
  name: 'validate',
  wrap(entry, policy, next) {
    if (!policy.validate) return next
    const { target } = entry
    const input = lazyValidator(entry, target.input)
    // Our own tools' answers are held to their schemas by their tests; a stranger's are checked on every call.
    const output = target.definition === undefined ? undefined : target.output
    if (output === undefined) {
      return (call) => {
        checkInput(call, input)
        return next(call)
      }
    }
    const outputValidator = lazyValidator(entry, output)
    return async (call) => {
      checkInput(call, input)
      const outcome = await next(call)
      checkOutput(entry, outcome, outputValidator)
      return outcome
    }
  },
}

/** Compiles on the first call: a catalog of a thousand tools must not cost two seconds at start. */
function lazyValidator(entry: Entry, schema: Schema): () => Validator {
  let validator: Validator | undefined
  return () => {
    if (validator !== undefined) return validator
    try {
      validator = compileJsonSchema(toJsonSchema(schema))
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new WeirError('UPSTREAM_PROTOCOL', `The schema of ${entry.id} cannot be used: ${why}.`, {
        hint: 'The tool’s maker must mend its schema.',
        cause,
      })
    }
    return validator
  }
}

function checkInput(call: Call, input: () => Validator): void {
  const issues = input()(call.input)
  if (issues.length === 0) return
  throw new WeirError('INVALID_INPUT', `Invalid arguments for ${call.entry.id}: ${renderIssues(issues)}.`, {
    hint: 'Compare the arguments with the tool’s input schema.',
    data: { issues },
  })
}

function checkOutput(entry: Entry, outcome: Outcome, output: () => Validator): void {
  if (outcome.kind !== 'complete' || outcome.result.isError === true) return
  const { structuredContent } = outcome.result
  if (structuredContent === undefined) return
  const issues = output()(structuredContent)
  if (issues.length === 0) return
  throw new WeirError('INVALID_OUTPUT', `${entry.id} broke its own output schema: ${renderIssues(issues)}.`, {
    hint: 'The call may have taken effect; the tool’s maker must mend its answer.',
    data: { issues },
  })
}

function renderIssues(issues: readonly SchemaIssue[]): string {
  return issues.map(({ path, message }) => `${path === '' ? 'the value' : path} ${message}`).join('; ')
}
