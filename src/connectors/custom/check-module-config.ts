import type { AnyConnector } from '../../core/connector.ts'
import { isObject } from '../../core/parse-json.ts'
import { type JsonSchema, type SchemaIssue, toJsonSchema } from '../../core/schema.ts'
import { moduleError } from './module-error.ts'

const problemsMax = 10
const messageCharsMax = 200

/** Compiles a JSON Schema to a check. */
export type CompileSchema = (schema: JsonSchema) => (value: unknown) => readonly SchemaIssue[]

interface Problem {
  readonly path: string
  readonly message: string
}

/** The config as the module's own schema makes it. Rejects with CONFIG_INVALID, which names every faulty field by its path. */
export async function checkModuleConfig(
  module: string,
  { config: schema }: AnyConnector,
  value: unknown,
  compileSchema: CompileSchema,
): Promise<unknown> {
  const checked = await check(schema, value, compileSchema)
  if (!('problems' in checked)) return checked.value
  const problems = checked.problems.slice(0, problemsMax)
  const list = problems.map(({ path, message }) => `${path}: ${message}`).join('; ')
  const hint = 'Mend `config` of this connection.'
  throw moduleError(module, `refuses its config: ${list.replace(/\.$/, '')}`, hint, { data: { problems } })
}

type Checked = { readonly value: unknown } | { readonly problems: readonly Problem[] }

/** A Standard Schema checks by itself, one with `parse` alone too; raw JSON Schema is compiled. */
async function check(
  schema: AnyConnector['config'],
  value: unknown,
  compileSchema: CompileSchema,
): Promise<Checked> {
  const standard = schema['~standard'] as { validate?: (value: unknown) => unknown }
  if (typeof standard.validate === 'function') {
    const result = await standard.validate(value)
    if (!isObject(result) || !Array.isArray(result['issues']))
      return { value: (result as { value: unknown }).value }
    return { problems: result['issues'].flatMap(readIssue) }
  }
  if (typeof schema.parse === 'function') return parse(schema, value)
  const problems = compileSchema(toJsonSchema(schema))(value)
  if (problems.length === 0) return { value }
  return { problems: problems.map(({ path, message }) => toProblem(path.split('/').slice(1), message)) }
}

function parse(schema: AnyConnector['config'], value: unknown): Checked {
  try {
    return { value: schema.parse(value) }
  } catch (thrown) {
    const issues = (thrown as { issues?: unknown }).issues
    if (Array.isArray(issues)) return { problems: issues.flatMap(readIssue) }
    return { problems: [toProblem([], (thrown as Error).message)] }
  }
}

/** An issue of the Standard Schema; Zod tells unknown keys beside the path. */
function readIssue(issue: unknown): readonly Problem[] {
  if (!isObject(issue)) return [toProblem([], String(issue))]
  const { message, path = [], keys } = issue
  const segments = (Array.isArray(path) ? path : []).map((segment: unknown) =>
    String(isObject(segment) ? segment['key'] : segment),
  )
  if (issue['code'] !== 'unrecognized_keys' || !Array.isArray(keys))
    return [toProblem(segments, String(message))]
  return keys.map((key) => toProblem([...segments, String(key)], 'is not a field of it'))
}

function toProblem(segments: readonly string[], message: string): Problem {
  const shorten = (text: string) =>
    text.length <= messageCharsMax ? text : `${text.slice(0, messageCharsMax - 1)}…`
  return { path: shorten(['config', ...segments].join('.')), message: shorten(message) }
}
