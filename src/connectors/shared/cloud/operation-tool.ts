import { z } from 'zod'
import { WeirError } from '../../../core/error.ts'
import type { JsonSchema } from '../../../core/schema.ts'
import type { Effect, RunContext, Tool } from '../../../core/tool.ts'

type Fields = Readonly<Record<string, z.ZodType>>

/** One operation of a tool, for the tool's table. */
export interface Operation {
  readonly effect: Effect
  /** What it does, with the fields it needs: a line of the tool's description. */
  readonly summary: string
  readonly required: readonly string[]
  readonly optional: readonly string[]
  run(
    input: Readonly<Record<string, unknown>>,
    context: RunContext,
  ): Promise<Readonly<Record<string, unknown>>>
}

type Given<F extends Fields, R extends keyof F, O extends keyof F> = {
  readonly [K in R]: z.output<F[K]>
} & { readonly [K in O]?: z.output<F[K]> | undefined }

/** Gives each operation's `run` the types of the fields that it says it takes. */
export function operationsOn<F extends Fields>(_fields: F) {
  return <R extends keyof F & string, O extends keyof F & string>(operation: {
    readonly effect: Effect
    readonly summary: string
    readonly required: readonly R[]
    readonly optional: readonly O[]
    run(input: Given<F, R, O>, context: RunContext): Promise<Readonly<Record<string, unknown>>>
  }): Operation => operation as unknown as Operation
}

/** What a tool of several operations is made of. */
export interface OperationToolParts {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly fields: Fields
  /** All there are: what is listed and what is run come from this one table (B-09). */
  readonly operations: Readonly<Record<string, Operation>>
  /** Those that the connection offers. */
  readonly allowed: readonly string[]
  readonly output: z.ZodType
}

type Input = Readonly<Record<string, unknown>> & { readonly operation: string }

/** A tool whose `operation` says what is done. Its effect is the worst of those that are offered. */
export function createOperationTool(parts: OperationToolParts): Tool<Input> {
  const offered = Object.entries(parts.operations).filter(([name]) => parts.allowed.includes(name))
  const operations = new Map(offered)
  return {
    kind: 'tool',
    name: parts.name,
    title: parts.title,
    description: `${parts.description}\n${offered.map(([name, { summary }]) => `- ${name}: ${summary}`).join('\n')}`,
    effect: findWorstEffect(offered.map(([, { effect }]) => effect)),
    input: createInput(parts.fields, offered),
    output: parts.output,
    async run(input, context) {
      const operation = findOperation(operations, input)
      return { structuredContent: await operation.run(input, context) }
    },
  }
}

const effects: readonly Effect[] = ['read', 'idempotent-write', 'write', 'destructive']

function findWorstEffect(of: readonly Effect[]): Effect {
  return effects[Math.max(...of.map((effect) => effects.indexOf(effect)))] ?? 'read'
}

/**
 * One schema for each operation (B-16), in the one form that everybody takes: models' makers refuse a tool whose schema has
 * `oneOf`, `anyOf` or `allOf` at the top, so the fields stand side by side and `if` says what an operation requires.
 */
function createInput(fields: Fields, offered: readonly (readonly [string, Operation])[]) {
  const [first = '', ...others] = offered.map(([name]) => name)
  const used = new Set(offered.flatMap(([, { required, optional }]) => [...required, ...optional]))
  const everywhere = [...used].filter((name) => offered.every(([, { required }]) => required.includes(name)))
  const shape = Object.fromEntries(
    Object.entries(fields)
      .filter(([name]) => used.has(name))
      .map(([name, field]) => [name, everywhere.includes(name) ? field : field.optional()]),
  )
  const schema = z.strictObject({
    operation: z.enum([first, ...others]).describe('What is done.'),
    ...shape,
  })
  return schema.meta(requireByOperation(offered, everywhere)) as z.ZodType<Input, Input>
}

function requireByOperation(
  offered: readonly (readonly [string, Operation])[],
  everywhere: readonly string[],
): JsonSchema {
  return offered.reduceRight<JsonSchema>((otherwise, [name, { required }]) => {
    const own = required.filter((field) => !everywhere.includes(field))
    if (own.length === 0) return otherwise
    return {
      if: { properties: { operation: { const: name } } },
      // biome-ignore lint/suspicious/noThenProperty: this is JSON Schema's word, and nobody awaits it.
      then: { required: own },
      ...(Object.keys(otherwise).length === 0 ? {} : { else: otherwise }),
    }
  }, {})
}

/** The schema has checked what is required; a field that the operation would ignore is a mistake too, and is named. */
function findOperation(operations: ReadonlyMap<string, Operation>, input: Input): Operation {
  const { operation: name, ...fields } = input
  const operation = operations.get(name)
  if (operation === undefined) {
    throw refuse(`There is no operation ${JSON.stringify(name)} here`, [...operations.keys()])
  }
  const taken = [...operation.required, ...operation.optional]
  const missing = operation.required.filter((field) => fields[field] === undefined)
  if (missing.length > 0) throw refuse(`${name} needs ${missing.join(' and ')}`, taken)
  const foreign = Object.keys(fields).filter((field) => !taken.includes(field))
  if (foreign.length > 0) throw refuse(`${name} takes no ${foreign.join(' and no ')}`, taken)
  return operation
}

function refuse(what: string, known: readonly string[]): WeirError {
  return new WeirError('INVALID_INPUT', `${what}.`, {
    hint: `Use ${known.join(', ')}.`,
    data: { known, sent: false },
  })
}
