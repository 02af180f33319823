import { WeirError } from '../../../core/error.ts'
import { jsonSchema } from '../../../core/schema.ts'
import type { RunContext, Tool } from '../../../core/tool.ts'
import type { Databases } from '../databases.ts'
import type { ChangeCount, Parameter, RowSet } from '../dialect.ts'
import { resultBytesMax } from '../tools/fields.ts'
import { type CompileSchema, createRowCheck, type RowCheck } from '../tools/result-check.ts'
import { transactAgain } from '../tools/transact-again.ts'
import type { DeclaredParameter, DeclaredTool, ScalarType } from './declared-config.ts'
import { renderInput, renderOutput } from './render-schemas.ts'

type Input = Readonly<Record<string, unknown>>

/** What a declared tool is made with. */
export interface DeclaredParts {
  readonly databases: Databases
  readonly compileSchema: CompileSchema
}

/**
 * A statement of the operator's as a typed tool. Its text never changes: what callers give is bound by the database's own
 * driver, so no value can become SQL.
 */
export function createDeclaredTool(name: string, tool: DeclaredTool, parts: DeclaredParts): Tool<Input> {
  const { title, description, effect, database, result } = tool
  const parameters = Object.entries(tool.parameters)
  const bind = (input: Input) => parameters.map(([key, parameter]) => toParameter(input[key], parameter))
  const holdTo = createOutputCheck(tool, parts.compileSchema)
  const run = effect === 'read' ? runRead : runWrite
  return {
    kind: 'tool',
    name,
    ...(title === undefined ? {} : { title }),
    description,
    effect,
    input: jsonSchema<Input>(renderInput(tool)),
    output: jsonSchema(renderOutput(tool)),
    async run(input, context) {
      const answer = await run(parts.databases, tool, bind(input), context)
      if (result === 'one') {
        const data = takeOne(name, tool, answer)
        holdTo?.([data])
        return { structuredContent: { success: true, data } }
      }
      if ('rows' in answer) holdTo?.(answer.rows)
      return { structuredContent: { ...answer, database } }
    },
  }
}

/** An answer that clients were told to expect otherwise would be refused by them, without a word why. */
function createOutputCheck({ output, effect }: DeclaredTool, compile: CompileSchema): RowCheck | undefined {
  if (output === undefined) return undefined
  const hint =
    effect === 'read'
      ? 'Ask the operator to correct the tool’s statement or its `output`.'
      : 'The statement has taken effect all the same; ask the operator to correct the tool’s `output`.'
  return createRowCheck(compile(output), { hint, isForList: false })
}

type Answer = RowSet | Omit<RowSet, 'execution_time_ms'> | ChangeCount

function runRead(
  databases: Databases,
  tool: DeclaredTool,
  parameters: readonly Parameter[],
  context: RunContext,
): Promise<Answer> {
  return databases.get(tool.database).read({ query: tool.statement, parameters }, resultBytesMax, context)
}

async function runWrite(
  databases: Databases,
  tool: DeclaredTool,
  parameters: readonly Parameter[],
  context: RunContext,
): Promise<Answer> {
  const statements = [{ query: tool.statement, parameters }]
  const options = { bytesMax: resultBytesMax, isolation: databases.isolationOf(tool.database) }
  const { result } = await transactAgain(databases.get(tool.database), statements, options, context)
  return result.results[0]!
}

/** B-70: a row that is not there is an error, and no success with nothing in it. A write has happened, so its first row stands. */
function takeOne(name: string, { effect }: DeclaredTool, answer: Answer): Readonly<Record<string, unknown>> {
  if (!('rows' in answer)) {
    if (answer.rowcount > 0) return { ...answer }
    throw notFound(name)
  }
  const [first] = answer.rows
  if (first === undefined) throw notFound(name)
  if (effect === 'read' && answer.rows.length > 1) {
    throw new WeirError('INVALID_OUTPUT', `${name} found more than one row, and is declared to find one.`, {
      hint: 'Ask the operator to correct its statement.',
    })
  }
  return first
}

function notFound(name: string): WeirError {
  return new WeirError('ROW_NOT_FOUND', `${name} found no row for these arguments.`, {
    hint: 'Check the arguments.',
  })
}

function toParameter(
  given: unknown,
  { type, items, default: fallback = null }: DeclaredParameter,
): Parameter {
  const value = given === undefined ? fallback : given
  if (value === null) return null
  if (type === 'json') return { $json: value }
  if (type === 'array') return (value as unknown[]).map((each) => toScalar(each, items!))
  return toScalar(value, type)
}

function toScalar(value: unknown, type: ScalarType): Parameter {
  if (type === 'datetime') return { $datetime: String(value) }
  if (type === 'bytes') return { $bytes: String(value) }
  return value as Parameter
}
