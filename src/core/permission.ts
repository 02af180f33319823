import { type Caller, type Decision, everything, type Grants } from './caller.ts'
import type { Entry } from './catalog.ts'

/** Names what a caller needs to use a target. What belongs to a target, its completion and its tasks, needs the same as the target. */
export function permissionOf({ id, target }: Entry): string {
  // The ids of resources and prompts begin with their kind already.
  return target.kind === 'tool' || target.kind === 'task-control' ? `tool:${id}` : id
}

const nothingGranted: Decision = Object.freeze({ isAllowed: false, rule: 'the caller has no rights at all' })
const openToAll: Decision = Object.freeze({
  isAllowed: true,
  rule: 'it answers with what the caller may use, and nothing else',
})

/** Whether these rights reach the target, and by which rule. Without any nothing does: it fails closed. */
export function decideUse(grants: Grants | undefined, entry: Entry): Decision {
  if (grants === undefined) return nothingGranted
  const { target } = entry
  if (target.kind === 'tool' && target.isForAll === true) return openToAll
  return grants.decide(permissionOf(entry))
}

/** Whether a list may show the target to the caller. */
export function mayUse({ grants }: Caller, entry: Entry): boolean {
  return grants === everything || decideUse(grants, entry).isAllowed
}

/** What could lead a server out of the part that a rule names: dots, and separators or percent signs written as numbers. */
const climbs = /(?:^|[/\\:])\.\.?(?:[/\\?#]|$)|%(?:2e|2f|5c|25)/i

const climbing: Decision = Object.freeze({ isAllowed: false, rule: 'the URI climbs, or hides what it names' })

/**
 * Whether these rights reach one URI that the caller made up to fit a template. A rule has to allow it as it is written
 * and as a server would decode it, or a percent sign would lead past a rule that denies.
 */
export function decideRead(grants: Grants | undefined, connection: string, uri: string): Decision {
  if (grants === undefined) return nothingGranted
  const written = grants.decide(`resource:${connection}:${uri}`)
  // Who may do everything may climb too: there is nothing to climb out of.
  if (!written.isAllowed || grants === everything) return written
  if (climbs.test(uri)) return climbing
  if (!uri.includes('%')) return written
  const decoded = decode(uri)
  return decoded === undefined ? climbing : grants.decide(`resource:${connection}:${decoded}`)
}

function decode(uri: string): string | undefined {
  try {
    return decodeURIComponent(uri)
  } catch {
    return undefined
  }
}
