import {
  _,
  Ajv,
  type Ajv as AjvInstance,
  type CodeKeywordDefinition,
  type Options,
  type ValidateFunction,
} from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { canonicalJson } from '../core/canonical-json.ts'
import type { JsonSchema, SchemaIssue } from '../core/schema.ts'
import { inspectSchema } from './inspect-schema.ts'
import { compileLinearPattern } from './linear-pattern.ts'

/** Checks a value; an empty list means that it fits. Throws an Error where the schema takes too long to say. */
export type Validator = (value: unknown) => readonly SchemaIssue[]

/** Issues told at once; more would only bury the first. */
const issuesMax = 10
/** Characters of a path or of what was expected; a caller's own names can be as long as its body. */
const issueTextMax = 200
const noIssues: readonly SchemaIssue[] = []
/** Schemas compiled by one instance, which keeps something of each for as long as it is in use. */
const compilesMax = 200

/** References followed in one check, five for each element of the largest body: two that double each other never end. */
const stepsMax = 500_000
let stepsLeft = 0

function spendStep(): void {
  stepsLeft -= 1
  if (stepsLeft < 0) throw new Error(`its references take more than ${stepsMax} steps`)
}

/**
 * Where a pattern cannot run in linear time it is not run at all: whoever wrote it checks its arguments itself, and a
 * tool that works is not taken away for a pattern that only looks ahead.
 */
const linearRegExp = Object.assign(
  (source: string) => compileLinearPattern(source) ?? { test: () => true, toString: () => source },
  { code: 'linearRegExp' },
)

const options: Options = {
  strict: false,
  allErrors: false,
  // Spelling out what a reference points at, wherever it is used, makes a megabyte of code of a kilobyte of schema.
  inlineRefs: false,
  code: { regExp: linearRegExp as never },
  logger: false,
}

type Dialect = 'draft-07' | '2020-12'

function readDialect({ $schema: dialect }: JsonSchema): Dialect {
  if (typeof dialect !== 'string' || /2020-12|2019-09/.test(dialect)) return '2020-12'
  if (/draft-0[4-7]/.test(dialect)) return 'draft-07'
  throw new Error(
    `the dialect ${JSON.stringify(dialect.slice(0, 200))} is not supported; 2020-12 and draft-07 are`,
  )
}

/** Without `loadSchema` an instance never fetches anything; what a schema does not hold itself is an error. */
function createInstance(dialect: Dialect, more: Options = {}): AjvInstance {
  const all = { ...options, ...more }
  const ajv = dialect === 'draft-07' ? new Ajv(all) : (new Ajv2020(all) as unknown as AjvInstance)
  ;(addFormats as unknown as (ajv: AjvInstance) => void)(ajv)
  for (const keyword of ['$ref', '$dynamicRef', '$recursiveRef']) countSteps(ajv, keyword)
  ajv.removeKeyword('uniqueItems')
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: (isOn: boolean, items: readonly unknown[]) => !isOn || isUnique(items),
    error: { message: 'must NOT have duplicate items' },
  })
  return ajv
}

/** Without references a check costs no more than schema times value; so only they are counted. */
function countSteps(ajv: AjvInstance, keyword: string): void {
  const known = ajv.getKeyword(keyword)
  if (typeof known !== 'object') return
  const definition = known as CodeKeywordDefinition
  ajv.removeKeyword(keyword)
  ajv.addKeyword({
    ...definition,
    code(context, ruleType) {
      context.gen.code(_`${context.gen.scopeValue('func', { key: 'spendStep', ref: spendStep })}()`)
      definition.code(context, ruleType)
    },
  })
}

/** In linear time; compared with each other, a hundred thousand items take minutes. */
function isUnique(items: readonly unknown[]): boolean {
  return new Set(items.map((item) => canonicalJson(item))).size === items.length
}

const shared = new Map<Dialect, { readonly ajv: AjvInstance; compiles: number }>()

/** One instance a dialect, made when first needed: a new instance costs 15 ms, a compile in a shared one 2.4. */
function sharedInstance(dialect: Dialect): AjvInstance {
  let instance = shared.get(dialect)
  if (instance === undefined || instance.compiles >= compilesMax) {
    instance = { ajv: createInstance(dialect), compiles: 0 }
    shared.set(dialect, instance)
  }
  instance.compiles += 1
  return instance.ajv
}

const compiled = new WeakMap<JsonSchema, Validator>()

/** Compiles a schema, once for each schema object. Throws an Error that says why a schema cannot be used. */
export function compileJsonSchema(schema: JsonSchema): Validator {
  let validator = compiled.get(schema)
  if (validator === undefined) {
    validator = createValidator(compileWithin(schema))
    compiled.set(schema, validator)
  }
  return validator
}

function compileWithin(schema: JsonSchema): ValidateFunction {
  // Compiling checks the schema itself against its dialect's, which is made of references too.
  stepsLeft = stepsMax
  try {
    return compile(schema)
  } catch (thrown) {
    throw explainOverflow(thrown)
  }
}

function compile(schema: JsonSchema): ValidateFunction {
  const { standsAlone } = inspectSchema(schema)
  const dialect = readDialect(schema)
  const { $schema: _dialect, ...whole } = schema
  if (standsAlone) return createInstance(dialect, { ownProperties: true }).compile(whole)
  // Without its id: two upstreams may well use the same one for different schemas.
  const { $id: _id, ...rest } = whole
  const ajv = sharedInstance(dialect)
  const validate = ajv.compile(rest)
  ajv.removeSchema(rest)
  return validate
}

function createValidator(validate: ValidateFunction): Validator {
  return (value) => {
    stepsLeft = stepsMax
    try {
      return validate(value) ? noIssues : readIssues(validate)
    } catch (thrown) {
      throw explainOverflow(thrown)
    }
  }
}

/** A reference that leads to itself without going deeper runs out of stack before it runs out of steps. */
function explainOverflow(thrown: unknown): unknown {
  if (!(thrown instanceof RangeError)) return thrown
  return new Error('its references lead in a circle', { cause: thrown })
}

function readIssues(validate: ValidateFunction): readonly SchemaIssue[] {
  return (validate.errors ?? []).slice(0, issuesMax).map(({ instancePath, message, params, keyword }) => ({
    path: shorten(instancePath),
    message: shorten(`${message ?? keyword}${renderParams(keyword, params)}`),
  }))
}

/** What ajv knows and does not say in its message. */
function renderParams(keyword: string, params: Record<string, unknown>): string {
  if (keyword === 'additionalProperties') return ` (found "${String(params['additionalProperty'])}")`
  if (keyword === 'enum') return `: ${JSON.stringify(params['allowedValues'])}`
  if (keyword === 'const') return `: ${JSON.stringify(params['allowedValue'])}`
  return ''
}

function shorten(text: string): string {
  return text.length <= issueTextMax ? text : `${text.slice(0, issueTextMax - 1)}…`
}
