import { z } from 'zod'
import { isObject } from '../../core/parse-json.ts'
import type { JsonSchema } from '../../core/schema.ts'
import { settleSchema } from './settle-schema.ts'

/** MCP's own limit for a tool's name. */
export const nameCharsMax = 128
const definitionCharsMax = 256 * 1024

const schema = z.custom<JsonSchema>(isObject, 'must be an object')

/** What may be left out. Servers in Python say `null` for what they leave out. */
const optional = {
  category: z.string().min(1).max(100).nullish(),
  output_schema: schema.nullish(),
  requires_confirmation: z.boolean().nullish(),
  rate_limit: z.string().max(100).nullish(),
  permissions: z.array(z.string().max(300)).max(100).nullish(),
}
const name = z.string().min(1).max(nameCharsMax)
const id = z
  .string()
  .min(1)
  .max(2 * nameCharsMax + 1)

const fromFile = z.strictObject({ id, name, description: z.string(), input_schema: schema, ...optional })
/** Fields that we do not know survive. */
const fromServer = z.looseObject({
  id: id.nullish(),
  name,
  description: z.string().nullish(),
  input_schema: schema.nullish(),
  ...optional,
})

/** One tool as the dialect defines it (D4-010, D4-033), checked and with an id (B-130). */
export interface Definition {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly input: JsonSchema
  readonly output?: JsonSchema
  readonly category: string
  /** What else was said of it: `requires_confirmation`, `rate_limit`, `permissions`, and fields that we do not know. */
  readonly more: Readonly<Record<string, unknown>>
}

/** A definition from a file, where nothing may be missing, misspelt or of another type. Throws an Error that says what is. */
export function readFileDefinition(value: unknown): Definition {
  return settle(check(fromFile, value), '')
}

/** A definition from a server that calls itself `serverName`. Throws an Error that says why it cannot be used. */
export function readServerDefinition(value: unknown, serverName: string): Definition {
  if (JSON.stringify(value).length > definitionCharsMax)
    throw new Error(`it has more than ${definitionCharsMax} characters`)
  return settle(check(fromServer, value), serverName)
}

type Checked = z.output<typeof fromServer>

function settle(checked: Checked, serverName: string): Definition {
  const { id, name, description, category, input_schema: input, output_schema: output, ...more } = checked
  const settledId = id ?? `${serverName}:${name}`
  if (input === null || input === undefined) throw new Error(`Tool '${settledId}' has no input schema`)
  const said = Object.entries(more).filter(([, value]) => value !== null && value !== undefined)
  return {
    id: settledId,
    name,
    description: description ?? '',
    input: settleInput(input),
    ...(output === null || output === undefined ? {} : { output: settleNamed('output_schema', output) }),
    category: category ?? 'general',
    more: Object.fromEntries(said),
  }
}

/** Arguments are always an object, and clients of MCP want the schema to say so. */
function settleInput(input: JsonSchema): JsonSchema {
  const settled = settleNamed('input_schema', input)
  if (settled['type'] === undefined) return { type: 'object', ...settled }
  if (settled['type'] === 'object') return settled
  throw new Error('Invalid JSON Schema: input_schema describes no object')
}

function settleNamed(field: string, document: JsonSchema): JsonSchema {
  try {
    return settleSchema(document)
  } catch (cause) {
    throw new Error(`Invalid JSON Schema: ${field}: ${(cause as Error).message}`, { cause })
  }
}

function check(of: z.ZodType<unknown>, value: unknown): Checked {
  const parsed = of.safeParse(value)
  if (parsed.success) return parsed.data as Checked
  const issue = parsed.error.issues[0]!
  const path = issue.path.map(String).join('.')
  throw new Error(`${path === '' ? '' : `${path}: `}${issue.message}`.slice(0, 300))
}
