import { isObject } from '../../core/parse-json.ts'
import { toJsonSchema } from '../../core/schema.ts'
import type { Effect, Target } from '../../core/tool.ts'
import type { CompileSchema } from './check-module-config.ts'

const kinds: ReadonlySet<unknown> = new Set(['tool', 'resource', 'resource-template', 'prompt'])
const effects: readonly Effect[] = ['read', 'idempotent-write', 'write', 'destructive']

/** What keeps a target that a module offers from being served; undefined where nothing does. */
function findTargetFault(offered: unknown, compileSchema: CompileSchema): string | undefined {
  if (!isObject(offered)) return 'offers a target that is no object'
  const { kind, name, description, effect, run } = offered
  if (!kinds.has(kind)) return `offers a target of kind ${show(kind)}; there are ${[...kinds].join(', ')}`
  const what = `${String(kind)} ${show(name)}`
  if (!isName(kind, name))
    return `offers the ${what}, whose name ${nameRules[kind === 'tool' ? 'tool' : 'other']}`
  if (typeof description !== 'string' || description.trim() === '')
    return `offers the ${what} without a description`
  if (!effects.includes(effect as Effect))
    return `offers the ${what} with the effect ${show(effect)}; there are ${effects.join(', ')}`
  if (typeof run !== 'function') return `offers the ${what} without a function \`run\``
  if (kind === 'resource-template' && typeof offered['matches'] !== 'function')
    return `offers the ${what} without a function \`matches\``
  const field = findFieldFault(offered)
  if (field !== undefined) return `offers the ${what} with ${field}`
  return findSchemaFault(offered as unknown as Target, what, compileSchema)
}

/** Which of them can be served, and what is wrong with each of the others. */
export function sortTargets(
  offered: readonly unknown[],
  compileSchema: CompileSchema,
): { readonly served: readonly Target[]; readonly faults: readonly string[] } {
  const served = new Map<string, Target>()
  const faults: string[] = []
  for (const each of offered) {
    const target = each as Target
    const fault = findTargetFault(each, compileSchema)
    const key = fault === undefined ? `${target.kind} ${show(target.name)}` : ''
    if (fault !== undefined) faults.push(fault)
    else if (served.has(key)) faults.push(`offers the ${key} twice`)
    else served.set(key, target)
  }
  return { served: [...served.values()], faults }
}

const nameRules = {
  tool: 'is not snake_case of at most 64 characters',
  other: 'is empty, too long, or no URI where it must be one',
}

function isName(kind: unknown, name: unknown): boolean {
  if (typeof name !== 'string' || name === '' || name.length > 1000) return false
  if (kind === 'tool') return name.length <= 64 && /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name)
  return kind !== 'resource' || URL.canParse(name)
}

function findFieldFault({
  confirm,
  rateLimit,
  timeoutMs,
  mimeType,
}: Record<string, unknown>): string | undefined {
  if (confirm !== undefined && typeof confirm !== 'boolean')
    return 'a `confirm` that is neither true nor false'
  if (rateLimit !== undefined && !/^[1-9]\d{0,8}\/(second|minute|hour|day)$/.test(String(rateLimit)))
    return 'a `rateLimit` that is not written like `10/hour`'
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs > 0 && timeoutMs <= 86_400_000))
    return 'a `timeoutMs` that is no time in milliseconds'
  if (mimeType !== undefined && typeof mimeType !== 'string') return 'a `mimeType` that is no text'
  return undefined
}

function findSchemaFault(
  { kind, input, output }: Target,
  what: string,
  compileSchema: CompileSchema,
): string | undefined {
  for (const [field, schema] of Object.entries({ input, output })) {
    if (field === 'output' && schema === undefined) continue
    try {
      const document = toJsonSchema(schema!)
      if (kind === 'tool' && field === 'input' && document['type'] !== 'object')
        return `offers the ${what}, whose input schema describes no object`
      compileSchema(document)
    } catch (thrown) {
      const why = (thrown as Error).message.slice(0, 200).replace(/\.$/, '')
      return `offers the ${what}, whose ${field} is no Standard Schema with JSON Schema output (${why})`
    }
  }
  return undefined
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 100)) : typeof value
}
