import { isDeepStrictEqual } from 'node:util'
import type { Config } from './config.ts'

/** What a name is in for. */
export interface NameChanges {
  readonly added: readonly string[]
  readonly changed: readonly string[]
  readonly removed: readonly string[]
}

/** What another configuration would change in a Weir that runs (R14). Names only: values may be secret. */
export interface ReloadPlan {
  /** The changed ones are opened anew; all others go on as they are. */
  readonly connections: NameChanges
  readonly toolsets: NameChanges
  readonly policies: NameChanges
  /** Other blocks that take effect at once. */
  readonly applied: readonly string[]
  /** Settings that take effect at the next start only. */
  readonly atNextStart: readonly string[]
}

/** Blocks that a running Weir takes over whole. */
const liveBlocks: ReadonlySet<string> = new Set(['log'])
/** Settings within blocks that are otherwise for the next start. */
const liveSettings: ReadonlySet<string> = new Set(['server.toolset'])
const named = ['connections', 'toolsets', 'policies'] as const

/** Compares what two configurations say. */
export function planReload(before: Config, after: Config): ReloadPlan {
  const applied: string[] = []
  const atNextStart: string[] = []
  for (const block of Object.keys(after) as (keyof Config)[]) {
    if (named.some((name) => name === block) || isDeepStrictEqual(before[block], after[block])) continue
    if (liveBlocks.has(block)) applied.push(block)
    else
      for (const path of changedSettings(block, before[block], after[block]))
        (liveSettings.has(path) ? applied : atNextStart).push(path)
  }
  const [connections, toolsets, policies] = named.map((block) => compareNames(before[block], after[block]))
  return { connections: connections!, toolsets: toolsets!, policies: policies!, applied, atNextStart }
}

/** Whether nothing at all would change. */
export function isIdle({ connections, toolsets, policies, applied, atNextStart }: ReloadPlan): boolean {
  const names = [connections, toolsets, policies].flatMap((part) => Object.values(part).flat())
  return names.length + applied.length + atNextStart.length === 0
}

function changedSettings(block: string, before: object | undefined, after: object | undefined): string[] {
  const [one, two] = [before ?? {}, after ?? {}] as Record<string, unknown>[]
  const keys = new Set([...Object.keys(one!), ...Object.keys(two!)])
  return [...keys].filter((key) => !isDeepStrictEqual(one![key], two![key])).map((key) => `${block}.${key}`)
}

function compareNames(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): NameChanges {
  const [old, fresh] = [Object.keys(before), Object.keys(after)]
  return {
    added: fresh.filter((name) => !(name in before)),
    changed: fresh.filter((name) => name in before && !isDeepStrictEqual(before[name], after[name])),
    removed: old.filter((name) => !(name in after)),
  }
}
