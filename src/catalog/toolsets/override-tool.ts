import type { Entry } from '../../core/catalog.ts'
import { WeirError } from '../../core/error.ts'
import { isObject } from '../../core/parse-json.ts'
import { type JsonSchema, jsonSchema, type SchemaIssue, toJsonSchema } from '../../core/schema.ts'
import type { Delegation, Tool } from '../../core/tool.ts'

/** What a toolset changes of one tool. */
export interface ToolOverride {
  /** The tool's id. */
  readonly tool: string
  /** The name that clients see, exactly. */
  readonly name?: string | undefined
  readonly description?: string | undefined
  readonly category?: string | undefined
  /** Arguments that callers neither see nor give, and their values. */
  readonly arguments?: Readonly<Record<string, unknown>> | undefined
}

/** What a value breaks. Throws an Error where the schema cannot be used. */
export type CheckValue = (schema: JsonSchema, value: unknown) => readonly SchemaIssue[]

/**
 * The same tool as one toolset shows it, under the same id. Frontends call the tool itself, through `delegate`, with
 * the fixed values in place, so that every stage sees what really runs. Throws an Error where a fixed value does not fit.
 */
export function overrideTool(
  entry: Entry<Tool>,
  override: ToolOverride,
  checkValue: CheckValue,
): Entry<Tool> {
  const { target } = entry
  const fixed = override.arguments ?? {}
  const schema = toJsonSchema(target.input)
  checkFixed(schema, fixed, checkValue)
  const shown = Object.keys(fixed).length === 0 ? schema : hideArguments(schema, fixed)
  const fill = createFill(entry.id, shown, fixed)
  const delegate = (input: Readonly<Record<string, unknown>>): Delegation => ({ entry, input: fill(input) })
  const description = override.description ?? target.description
  const patched: Tool = {
    ...target,
    description,
    input: jsonSchema(shown),
    ...(override.category === undefined ? {} : { category: override.category }),
    ...(target.definition === undefined
      ? {}
      : { definition: { ...target.definition, description, inputSchema: shown } }),
    delegate,
    // Whoever calls it without asking for whom it stands gets the same.
    run: (input, context) => target.run(fill(isObject(input) ? input : {}), context),
  }
  return Object.freeze({ ...entry, target: patched })
}

/** Keywords of a schema that speak of all its fields together; what is fixed is only some of them. */
const wholeKeywords: ReadonlySet<string> = new Set([
  ...['required', 'minProperties', 'maxProperties', 'dependentRequired', 'dependentSchemas', 'dependencies'],
  ...['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'unevaluatedProperties'],
])

function checkFixed(
  schema: JsonSchema,
  fixed: Readonly<Record<string, unknown>>,
  checkValue: CheckValue,
): void {
  const names = Object.keys(fixed)
  if (names.length === 0) return
  const { properties, additionalProperties, patternProperties } = schema
  if (isObject(properties) && additionalProperties === undefined && patternProperties === undefined) {
    const unknown = names.find((name) => !Object.hasOwn(properties, name))
    if (unknown !== undefined) throw new Error(`it has no argument ${JSON.stringify(unknown)}`)
  }
  const parts = Object.fromEntries(Object.entries(schema).filter(([keyword]) => !wholeKeywords.has(keyword)))
  const [issue] = checkValue(parts, fixed)
  if (issue !== undefined) throw new Error(`${issue.path === '' ? 'the value' : issue.path} ${issue.message}`)
}

/** The schema without these arguments. What it says deeper down, and of arguments together, stays as it is. */
function hideArguments(schema: JsonSchema, fixed: Readonly<Record<string, unknown>>): JsonSchema {
  const { properties, required, ...rest } = schema
  const isShown = (name: unknown) => !Object.hasOwn(fixed, String(name))
  const still = Array.isArray(required) ? required.filter(isShown) : []
  const shown = Object.entries(isObject(properties) ? properties : {}).filter(([name]) => isShown(name))
  return {
    ...rest,
    ...(isObject(properties) ? { properties: Object.fromEntries(shown) } : {}),
    ...(still.length === 0 ? {} : { required: still }),
  }
}

/** Puts the fixed values in. An open schema would let a caller give one too, so that is refused here. */
function createFill(
  id: string,
  { properties }: JsonSchema,
  fixed: Readonly<Record<string, unknown>>,
): (input: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>> {
  const folded = new Set(Object.keys(fixed).map(foldName))
  const isHidden = (name: string) =>
    folded.has(foldName(name)) && !(isObject(properties) && Object.hasOwn(properties, name))
  return (input) => {
    const hidden = Object.keys(input).find(isHidden)
    if (hidden === undefined) return { ...input, ...fixed }
    const shown = JSON.stringify(hidden.slice(0, 100))
    throw new WeirError('INVALID_INPUT', `Invalid arguments for ${id}: ${shown} is not yours to give.`, {
      hint: 'Leave it out; the operator has fixed its value.',
    })
  }
}

/** Many programs read names without regard to capitals, width or what cannot be seen; so does the refusal. */
function foldName(name: string): string {
  return name
    .normalize('NFKC')
    .replace(/[\p{Cf}\s]/gu, '')
    .toUpperCase()
    .toLowerCase()
}
