import { stripHidden } from '../../core/hidden-text.ts'
import { isObject } from '../../core/parse-json.ts'
import { type JsonSchema, jsonSchema, type Schema, toJsonSchema } from '../../core/schema.ts'
import type { Target } from '../../core/tool.ts'
import {
  cleanProse,
  cleanSchema,
  holdsAnyHidden,
  listAllHidden,
  requireClean,
  UncleanError,
} from './clean-schema.ts'

/** A target with nothing hidden in it, or why there is none. */
export type Cleaned =
  | { readonly target: Target; readonly removed: readonly string[] }
  | { readonly refusal: string; readonly name: string }

const cleaned = new WeakMap<Target, Cleaned>()

/**
 * The target as it may be shown (S13): the same object where nothing is hidden in it, else a copy that runs the same.
 * Only what an upstream defined is looked at; our own definitions and the operator's words are not.
 */
export function cleanTarget(target: Target): Cleaned {
  let result = cleaned.get(target)
  if (result === undefined) {
    result = clean(target)
    cleaned.set(target, result)
  }
  return result
}

function clean(target: Target): Cleaned {
  const { definition, name, title, description } = target
  if (definition === undefined) return { target, removed: [] }
  const [input, output] = [toJsonSchema(target.input), target.output && toJsonSchema(target.output)]
  const shown = [name, title, description, definition, input, output]
  if (!shown.some(holdsAnyHidden)) return { target, removed: [] }
  try {
    return { target: copy(target, definition), removed: listAllHidden(definition) }
  } catch (thrown) {
    if (!(thrown instanceof UncleanError)) throw thrown
    return { refusal: thrown.message, name: stripHidden(name) }
  }
}

/** The run of the original goes along, and with it the upstream's own name. */
function copy(target: Target, definition: Readonly<Record<string, unknown>>): Target {
  const name = cleanName(target)
  const schemas = new Map<unknown, Schema>()
  const cleanOnce = (schema: Schema, field: string) => {
    const document = toJsonSchema(schema)
    const made = jsonSchema(cleanSchema(document, field) as JsonSchema)
    schemas.set(document, made)
    return made
  }
  const input = cleanOnce(target.input, 'inputSchema')
  const output = target.output === undefined ? {} : { output: cleanOnce(target.output, 'outputSchema') }
  const members = Object.entries(definition)
    .filter(([key]) => !holdsAnyHidden(key))
    .map(([key, value]) => {
      // One object, so that a schema is compiled once and remembered once.
      const schema = schemas.get(value)
      return [key, schema === undefined ? cleanMember(key, value) : toJsonSchema(schema)]
    })
  return {
    ...target,
    ...{ name, input, ...output },
    ...(target.title === undefined ? {} : { title: stripHidden(target.title) }),
    description: stripHidden(target.description),
    definition: Object.fromEntries(members) as Record<string, unknown>,
  } as Target
}

/** A URI is what a read is of, so it stays as it is; tools and prompts are called by their own names whatever is shown. */
function cleanName({ kind, name }: Target): string {
  if (kind !== 'tool' && kind !== 'prompt') return requireClean(name, 'uri')
  const shown = stripHidden(name)
  if (shown === '') throw new UncleanError('its name holds nothing that can be seen')
  return shown
}

function cleanMember(key: string, value: unknown): unknown {
  if (key === 'inputSchema' || key === 'outputSchema') return cleanSchema(value, key)
  if (key === 'uri' || key === 'uriTemplate') return requireClean(value, key)
  if (key === 'arguments' && Array.isArray(value)) {
    for (const argument of value) if (isObject(argument)) requireClean(argument['name'], 'arguments')
  }
  return cleanProse(value)
}
