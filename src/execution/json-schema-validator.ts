import type { Ajv as AjvInstance, Options, ValidateFunction } from 'ajv'
import { Ajv } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { RE2JS } from 're2js'
import type { JsonSchema, SchemaIssue } from '../core/schema.ts'

/** Checks a value; an empty list means that it fits. */
export type Validator = (value: unknown) => readonly SchemaIssue[]

/** What a schema from outside may cost at most (S17). */
const schemaLimits = { depthMax: 32, nodesMax: 10_000, bytesMax: 256 * 1024 }
/** Issues told at once; more would only bury the first. */
const issuesMax = 10
const noIssues: readonly SchemaIssue[] = []

/** Patterns from outside run in linear time, so that none can hang the process (S17). */
const linearRegExp = Object.assign(
  (pattern: string, flags: string) => {
    const compiled = RE2JS.compile(
      RE2JS.translateRegExp(pattern),
      flags.includes('i') ? RE2JS.CASE_INSENSITIVE : 0,
    )
    return { test: (text: string) => compiled.matcher(text).find() }
  },
  { code: 'linearRegExp' },
)

const options: Options = {
  strict: false,
  allErrors: false,
  // A schema never fetches anything; what it cannot resolve by itself is an error.
  loadSchema: undefined as never,
  addUsedSchema: false,
  code: { regExp: linearRegExp as never },
  logger: false,
}

let draft2020: AjvInstance | undefined
let draft7: AjvInstance | undefined

/** One instance a dialect, made when first needed: a new instance costs 15 ms, a compile in a shared one 2.4. */
function instanceFor(schema: JsonSchema): AjvInstance {
  const dialect = typeof schema['$schema'] === 'string' ? schema['$schema'] : ''
  if (/draft-0[4-7]/.test(dialect)) {
    draft7 ??= withFormats(new Ajv(options))
    return draft7
  }
  if (dialect !== '' && !dialect.includes('2020-12') && !dialect.includes('2019-09')) {
    throw new Error(`the dialect ${dialect} is not supported; 2020-12 and draft-07 are`)
  }
  draft2020 ??= withFormats(new Ajv2020(options) as unknown as AjvInstance)
  return draft2020
}

function withFormats(ajv: AjvInstance): AjvInstance {
  const add = addFormats as unknown as (ajv: AjvInstance) => AjvInstance
  return add(ajv)
}

const compiled = new WeakMap<JsonSchema, Validator>()

/** Compiles a schema, once for each schema object. Throws an Error that says why a schema cannot be used. */
export function compileJsonSchema(schema: JsonSchema): Validator {
  const known = compiled.get(schema)
  if (known !== undefined) return known
  refuseBomb(schema)
  const { $id: _id, $schema: _dialect, ...rest } = schema
  // Without its id: two upstreams may well use the same one for different schemas.
  const ajv = instanceFor(schema)
  const validate = ajv.compile(rest)
  // The instance would keep every schema it ever compiled; ours live as long as their tool does.
  ajv.removeSchema(rest)
  const validator: Validator = (value) => (validate(value) ? noIssues : readIssues(validate))
  compiled.set(schema, validator)
  return validator
}

function refuseBomb(schema: JsonSchema): void {
  let nodes = 0
  const walk = (node: unknown, depth: number) => {
    if (typeof node !== 'object' || node === null) return
    nodes += 1
    if (depth > schemaLimits.depthMax * 2)
      throw new Error(`it nests deeper than ${schemaLimits.depthMax} schemas`)
    if (nodes > schemaLimits.nodesMax) throw new Error(`it holds more than ${schemaLimits.nodesMax} parts`)
    for (const inner of Object.values(node)) walk(inner, depth + 1)
  }
  walk(schema, 0)
  if (JSON.stringify(schema).length > schemaLimits.bytesMax) {
    throw new Error(`it is larger than ${schemaLimits.bytesMax} bytes`)
  }
}

function readIssues(validate: ValidateFunction): readonly SchemaIssue[] {
  return (validate.errors ?? []).slice(0, issuesMax).map(({ instancePath, message, params, keyword }) => ({
    path: instancePath,
    message: `${message ?? keyword}${renderParams(keyword, params)}`,
  }))
}

/** What ajv knows and does not say in its message. */
function renderParams(keyword: string, params: Record<string, unknown>): string {
  if (keyword === 'additionalProperties') return ` (found "${String(params['additionalProperty'])}")`
  if (keyword === 'enum') return `: ${JSON.stringify(params['allowedValues'])}`
  if (keyword === 'const') return `: ${JSON.stringify(params['allowedValue'])}`
  return ''
}
