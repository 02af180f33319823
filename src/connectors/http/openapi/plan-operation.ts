import type { JsonSchema } from '../../../core/schema.ts'
import type { Effect } from '../../../core/tool.ts'
import { type Assembled, assembleSchema } from './assemble-schema.ts'
import { cutText } from './cut-text.ts'
import type { Operation } from './list-operations.ts'
import { nameArguments } from './name-arguments.ts'
import type { OpenapiConfig } from './openapi-config.ts'
import { type PathPart, parsePath } from './path-template.ts'
import { planAnswer } from './plan-answer.ts'
import { type RequestBody, readBody } from './read-body.ts'
import { readEffect } from './read-effect.ts'
import { type Parameter, type ReservedParameters, readParameters } from './read-parameters.ts'
import type { SchemaShelf, Shelved } from './schema-shelf.ts'

/** A parameter and the argument it comes from. */
export interface PlannedParameter extends Parameter {
  readonly argument: string
}

/** One operation as a tool: what it says of itself, and how a call becomes a request. */
export interface OperationPlan {
  readonly name: string
  readonly description: string
  readonly category: string | undefined
  readonly effect: Effect
  readonly input: JsonSchema
  readonly output: JsonSchema | undefined
  readonly method: string
  readonly path: readonly PathPart[]
  /** What the path brings of a query, encoded. */
  readonly query: string
  readonly parameters: readonly PlannedParameter[]
  readonly body: RequestBody | undefined
}

/** What the operations of one document share. */
export interface PlanParts {
  readonly shelf: SchemaShelf
  readonly config: Pick<OpenapiConfig, 'effects' | 'schemaBytesMax' | 'validateAnswers'>
  readonly reserved: ReservedParameters
}

const descriptionCharsMax = 1_500
const parameterCharsMax = 500

/** Throws an Error that says why the operation cannot be a tool. */
export function planOperation(operation: Operation, name: string, parts: PlanParts): OperationPlan {
  const { shelf, config, reserved } = parts
  const { document } = shelf
  const { method, node, pathItem } = operation
  const { parameters: read, notes } = readParameters(document, pathItem, node, reserved)
  // What a body of GET or HEAD would mean is not defined, and servers and proxies drop it.
  const body = method === 'GET' || method === 'HEAD' ? undefined : readBody(document, node)
  const args = nameArguments(read, body !== undefined)
  const parameters = read.map((parameter, at) => ({ ...parameter, argument: args[at]! }))
  const path = parsePath(operation.path, parameters)
  const input = assembleInput(parameters, body, parts)
  if (input === undefined) throw new Error(`its schema is larger than ${config.schemaBytesMax} bytes`)
  return {
    name,
    description: describe(operation, notes, input.isSimplified),
    category: operation.tags[0],
    effect: readEffect(operation, config.effects),
    input: input.schema,
    output: config.validateAnswers ? planAnswer(node, shelf) : undefined,
    ...{ method, parameters, body },
    ...path,
  }
}

function assembleInput(
  parameters: readonly PlannedParameter[],
  body: RequestBody | undefined,
  { shelf, config }: PlanParts,
): Assembled | undefined {
  const fields = [
    ...parameters.map(({ argument, schema, description, isRequired }) => ({
      argument,
      schema,
      description,
      isRequired,
    })),
    ...(body === undefined ? [] : [{ argument: 'body', ...body }]),
  ]
  const write = (keepsTexts: boolean): Shelved => {
    const shelved = fields.map(({ schema }) => shelf.convert(schema ?? {}, 'request', keepsTexts))
    const properties = fields.map(({ argument, description }, at) => {
      const { schema } = shelved[at]!
      return [argument, withDescription(schema, keepsTexts ? description : undefined)] as const
    })
    const required = fields.filter(({ isRequired }) => isRequired).map(({ argument }) => argument)
    const schema = {
      type: 'object',
      properties: Object.fromEntries(properties),
      ...(required.length === 0 ? {} : { required }),
      additionalProperties: false,
    }
    return {
      schema,
      refs: [...new Set(shelved.flatMap(({ refs }) => refs))],
      bytes: Buffer.byteLength(JSON.stringify(schema)),
      parts: 2 + shelved.reduce((sum, one) => sum + one.parts, 0),
    }
  }
  return assembleSchema(write, 'request', shelf, { bytesMax: config.schemaBytesMax })
}

function withDescription(schema: JsonSchema | boolean, description: string | undefined): JsonSchema {
  const text = description?.trim() ?? ''
  const object = typeof schema === 'boolean' ? {} : schema
  return text === '' ? object : { ...object, description: cutText(text, parameterCharsMax) }
}

function describe({ node, key }: Operation, notes: readonly string[], isSimplified: boolean): string {
  const { summary, description, deprecated } = node
  const said = [summary, description].flatMap((text) => (typeof text === 'string' ? [text.trim()] : []))
  const [first = '', second = ''] = said
  const text = second.startsWith(first) ? second : said.join('\n\n')
  const remarks = [
    ...(deprecated === true ? ['Deprecated.'] : []),
    ...notes,
    ...(isSimplified ? ['The arguments are told in less detail than the API’s own documentation has.'] : []),
    cutText(key, 300),
  ]
  return [...(text.trim() === '' ? [] : [cutText(text.trim(), descriptionCharsMax)]), remarks.join(' ')].join(
    '\n\n',
  )
}
