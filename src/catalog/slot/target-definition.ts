import { WeirError } from '../../core/error.ts'
import { isObject } from '../../core/parse-json.ts'
import { type JsonSchema, jsonSchema, type Schema, toJsonSchema } from '../../core/schema.ts'
import type { Effect, Target } from '../../core/tool.ts'
import { matchTemplate } from './match-template.ts'

/** What makes two targets the same one, beside kind, name and the schema of what goes in. */
export const definedFields = [
  ...(['title', 'description', 'effect', 'output', 'definition', 'timeoutMs', 'isOneUse'] as const),
  ...(['category', 'confirm', 'rateLimit', 'mimeType', 'isUnlisted', 'delegate'] as const),
] as const

const schemaFields: ReadonlySet<string> = new Set(['input', 'output'])
const asideFields = ['completion', 'tasks'] as const

type Fields = Readonly<Record<string, unknown>>

/** Whether one may take the other's place unseen: all that a client is shown, and that a policy decides from, is equal. */
export function isSameDefinition(a: Target | undefined, b: Target | undefined): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined) return false
  const [left, right] = [a as unknown as Fields, b as unknown as Fields]
  const isEqual = (field: string) => {
    if (left[field] === right[field]) return true
    return isSameJson(plain(field, left[field]), plain(field, right[field]))
  }
  return (
    a.kind === b.kind &&
    a.name === b.name &&
    definedFields.every(isEqual) &&
    (hasInputOf(a, sharedInput(b)) || isEqual('input')) &&
    asideFields.every((field) => isSameDefinition(left[field] as Target, right[field] as Target))
  )
}

/** Which part of an upstream's definition the schema of what goes in is; it is mostly one, and as large as all the rest. */
function sharedInput({ definition, input }: Target): string | undefined {
  if (definition === undefined) return undefined
  const document = toJsonSchema(input)
  for (const key in definition) if (definition[key] === document) return key
  return undefined
}

function hasInputOf({ definition, input }: Target, part: string | undefined): boolean {
  return part !== undefined && definition?.[part] === toJsonSchema(input)
}

/** Whether two lists of targets are the same in every definition, and in their order. */
export function isSameOffer(a: readonly Target[], b: readonly Target[]): boolean {
  return a === b || (a.length === b.length && a.every((target, i) => isSameDefinition(target, b[i])))
}

function plain(field: string, value: unknown): unknown {
  return schemaFields.has(field) && value !== undefined ? toJsonSchema(value as Schema) : value
}

/** Equal as JSON, whatever the order of keys. As deep as the values are, which were bounded when they were parsed. */
function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i += 1) if (!isSameJson(a[i], b[i])) return false
    return true
  }
  if (!isObject(a) || !isObject(b)) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  for (const key of keys) if (!Object.hasOwn(b, key) || !isSameJson(a[key], b[key])) return false
  return true
}

/** The definitions as JSON text. A target that decides by a function of its own cannot be written, and is left out. */
export function writeTargets(targets: readonly Target[]): string {
  return JSON.stringify(targets.filter((target) => !('delegate' in target)).map(describe))
}

function describe(target: Target): Fields {
  const fields = target as unknown as Fields
  const described: Record<string, unknown> = { kind: target.kind, name: target.name }
  for (const field of ['input', ...definedFields]) {
    if (fields[field] !== undefined) described[field] = plain(field, fields[field])
  }
  for (const field of asideFields) {
    if (fields[field] !== undefined) described[field] = describe(fields[field] as Target)
  }
  const shared = sharedInput(target)
  if (shared !== undefined) described['input'] = shared
  return described
}

/** What `writeTargets` wrote, as targets that cannot run. Throws where the text is anything else. */
export function readTargets(text: string): readonly Target[] {
  const found: unknown = JSON.parse(text)
  if (!Array.isArray(found)) throw new TypeError('the remembered targets are no list')
  return found.map(revive)
}

const kinds: ReadonlySet<unknown> = new Set([
  ...(['tool', 'resource', 'resource-template', 'prompt', 'completion', 'task-control'] as const),
])
const effects: ReadonlySet<unknown> = new Set<Effect>(['read', 'idempotent-write', 'write', 'destructive'])

function revive(found: unknown): Target {
  if (!isObject(found)) throw new TypeError('a remembered target is no object')
  const { kind, name, effect, definition, input: written, output, completion, tasks, ...rest } = found
  const input = typeof written === 'string' && isObject(definition) ? definition[written] : written
  if (!kinds.has(kind) || !effects.has(effect) || typeof name !== 'string' || !isObject(input))
    throw new TypeError('a remembered target is incomplete')
  return {
    ...rest,
    ...{ kind, name, effect },
    ...(definition === undefined ? {} : { definition }),
    input: jsonSchema(input as JsonSchema),
    ...(output === undefined ? {} : { output: jsonSchema(output as JsonSchema) }),
    ...(completion === undefined ? {} : { completion: revive(completion) }),
    ...(tasks === undefined ? {} : { tasks: revive(tasks) }),
    ...(kind === 'resource-template' ? { matches: matchTemplate(name) } : {}),
    run: notAttached,
  } as unknown as Target
}

function notAttached(): never {
  throw new WeirError('CONNECTION_UNAVAILABLE', 'The connection is only remembered.')
}
