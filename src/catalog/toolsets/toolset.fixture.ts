import type { Entry } from '../../core/catalog.ts'
import { jsonSchema } from '../../core/schema.ts'
import type { Prompt, Resource, ResourceTemplate, Target, Tool } from '../../core/tool.ts'
import { compileJsonSchema } from '../../execution/json-schema-validator.ts'
import { createLog } from '../../telemetry/log.ts'
import { createPrefixedView } from '../view.ts'
import type { Toolset } from './toolset.ts'
import { createToolsetView } from './toolset.ts'

/** A toolset of nothing, changed. */
export function createToolset(change: Partial<Toolset>): Toolset {
  return { tools: [], exclude: [], prompts: [], resources: [], pinned: [], search: false, ...change }
}

const common = { description: '', effect: 'read', input: jsonSchema({ type: 'object' }) } as const

export function resource(name: string): Resource {
  return { kind: 'resource', name, ...common, input: jsonSchema({}), run: async () => ({}) }
}

export function prompt(name: string): Prompt {
  return { kind: 'prompt', name, ...common, input: jsonSchema({}), run: async () => ({}) }
}

/** `{rest}` at the end stands for anything. */
export function template(name: string, isUnlisted = false): ResourceTemplate {
  return {
    kind: 'resource-template',
    name,
    ...common,
    input: jsonSchema({}),
    isUnlisted,
    matches: (uri) => uri.startsWith(name.replace(/\{.*/, '')),
    run: async () => ({}),
  }
}

export function tool(name: string, properties: Readonly<Record<string, unknown>> = {}): Tool {
  const input = jsonSchema({ type: 'object', properties })
  const run = async (given: unknown) => ({ structuredContent: given })
  return { kind: 'tool', name, ...common, description: `Does ${name}.`, input, run }
}

/** Connections that offer these targets, and one toolset over them. */
export function openToolset(change: Partial<Toolset>, offers: Readonly<Record<string, readonly Target[]>>) {
  const lines: Record<string, unknown>[] = []
  const log = createLog((line) => void lines.push(JSON.parse(line)))
  const slots = Object.entries(offers).map(([name, targets]) => {
    let entries = makeEntries(name, targets)
    return {
      name,
      stale: undefined,
      get entries() {
        return entries
      },
      offer: (more: readonly Target[]) => {
        const known = new Map(entries.map((entry) => [entry.target, entry]))
        entries = makeEntries(name, more).map((entry) => known.get(entry.target) ?? entry)
      },
      watch: () => ({ dispose: () => {} }),
    }
  })
  const all = createPrefixedView(slots, log)
  const checkValue = (schema: Parameters<typeof compileJsonSchema>[0], value: unknown) =>
    compileJsonSchema(schema)(value)
  const view = createToolsetView('support', createToolset(change), { all, log, checkValue })
  return {
    ...{ all, view, lines },
    names: () => view.tools.list().map(({ name }) => name),
    /** Another list of one connection, as the catalog takes it in. */
    offer(name: string, targets: readonly Target[]) {
      slots.find((slot) => slot.name === name)!.offer(targets)
      all.refresh()
      view.refresh()
    },
  }
}

function makeEntries(connection: string, targets: readonly Target[]): readonly Entry[] {
  return targets.map((target) => ({ id: `${connection}:${target.name}`, connection, target }))
}
