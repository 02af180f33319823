import type { Call } from '../../core/call.ts'
import type { Entry } from '../../core/catalog.ts'
import { WeirError } from '../../core/error.ts'
import type { Outcome } from '../../core/outcome.ts'
import type { Stage } from '../../core/policy.ts'
import { type Schema, type SchemaIssue, toJsonSchema } from '../../core/schema.ts'
import { compileJsonSchema, type Validator } from '../json-schema-validator.ts'

/** Always on. Checks both ways (B-121): what goes in, and what an upstream server answers where it said what it would. */
export const validateStage: Stage = {
  name: 'validate',
  wrap(entry, _policy, next) {
    const { target } = entry
    const input = createCheck(entry, target.input)
    // Our own tools' answers are held to their schemas by their tests; a stranger's are checked on every call.
    const output = target.definition === undefined ? undefined : target.output
    if (output === undefined) {
      return (call) => {
        const refusal = findInputFault(call, input)
        // A run rejects, it never throws: the stages around it rely on that.
        return refusal === undefined ? next(call) : Promise.reject(refusal)
      }
    }
    const outputCheck = createCheck(entry, output)
    return async (call) => {
      const refusal = findInputFault(call, input) ?? outputCheck.prepare()
      // An output schema that cannot be used is known before the tool has had its effect.
      if (refusal !== undefined) throw refusal
      const outcome = await next(call)
      const fault = findOutputFault(entry, outcome, outputCheck)
      if (fault !== undefined) throw fault
      return outcome
    }
  },
}

/** One schema, compiled on the first call: a catalog of a thousand tools must not cost two seconds at start. */
interface Check {
  /** Why the schema cannot be used; undefined if it can. */
  prepare(): WeirError | undefined
  /** What the value breaks. Call it only after `prepare`. */
  run(value: unknown): readonly SchemaIssue[] | WeirError
}

function createCheck(entry: Entry, schema: Schema): Check {
  let validator: Validator | undefined
  let refusal: WeirError | undefined
  const refuse = (cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause)
    return new WeirError('UPSTREAM_PROTOCOL', `The schema of ${entry.id} cannot be used: ${why}.`, {
      hint: 'The tool’s maker must mend its schema.',
      cause,
    })
  }
  return {
    prepare() {
      if (validator !== undefined || refusal !== undefined) return refusal
      try {
        validator = compileJsonSchema(toJsonSchema(schema))
      } catch (cause) {
        refusal = refuse(cause)
      }
      return refusal
    },
    run(value) {
      try {
        return validator!(value)
      } catch (cause) {
        return refuse(cause)
      }
    },
  }
}

function findInputFault(call: Call, check: Check): WeirError | undefined {
  const refusal = check.prepare()
  if (refusal !== undefined) return refusal
  const issues = check.run(call.input)
  if (issues instanceof WeirError) return issues
  if (issues.length === 0) return undefined
  return new WeirError('INVALID_INPUT', `Invalid arguments for ${call.entry.id}: ${renderIssues(issues)}.`, {
    hint: 'Compare the arguments with the tool’s input schema.',
    data: { issues },
  })
}

function findOutputFault(entry: Entry, outcome: Outcome, check: Check): WeirError | undefined {
  if (outcome.kind !== 'complete' || outcome.result.isError === true) return undefined
  const { structuredContent } = outcome.result
  if (structuredContent === undefined) return undefined
  const issues = check.run(structuredContent)
  if (issues instanceof WeirError) return issues
  if (issues.length === 0) return undefined
  return new WeirError(
    'INVALID_OUTPUT',
    `${entry.id} broke its own output schema: ${renderIssues(issues)}.`,
    {
      hint: 'The call may have taken effect; the tool’s maker must mend its answer.',
      data: { issues },
    },
  )
}

function renderIssues(issues: readonly SchemaIssue[]): string {
  return issues.map(({ path, message }) => `${path === '' ? 'the value' : path} ${message}`).join('; ')
}
