import type { Entry } from '../../core/catalog.ts'
import type { Logger } from '../../core/logger.ts'
import type { Target } from '../../core/tool.ts'
import { type Route, StandingTarget } from './standing-target.ts'
import { isSameDefinition } from './target-definition.ts'
import type { Uptime } from './uptime.ts'

interface Kept {
  readonly entry: Entry
  readonly standing: StandingTarget
}

/**
 * The entries of one connection. An entry lives as long as its definition, across restarts too, so that no list
 * changes by one, and a chain composed for it is found again.
 */
export class EntryBook {
  readonly #route: Route
  readonly #log: Logger
  #kept: ReadonlyMap<string, Kept> = new Map()
  #entries: readonly Entry[] = []

  constructor(route: Route, log: Logger) {
    this.#route = route
    this.#log = log
  }

  /** In the connection's own order. The same array until something changes. */
  get entries(): readonly Entry[] {
    return this.#entries
  }

  /**
   * Takes what a connection offers now, or with no uptime what is remembered of it. Of two targets of one kind and name
   * the first counts, under every name that either has. False where all is as it was.
   */
  take(targets: readonly Target[], uptime: Uptime | undefined): boolean {
    const connection = this.#route.name
    const taken = new Map<string, Kept>()
    for (const target of targets) {
      const id = idOf(connection, target)
      if (taken.has(id))
        this.#log.error({ connection, [target.kind]: target.name }, 'A connection offers a target twice.')
      else taken.set(id, this.#keep(id, target, uptime))
    }
    const entries = [...taken.values()].map(({ entry }) => entry)
    const before = this.#entries
    this.#kept = taken
    if (entries.length === before.length && entries.every((entry, i) => entry === before[i])) return false
    this.#entries = entries
    return true
  }

  #keep(id: string, target: Target, uptime: Uptime | undefined): Kept {
    const known = this.#kept.get(id)
    const kept =
      known !== undefined && isSameDefinition(known.standing.live, target) ? known : this.#make(id, target)
    if (uptime !== undefined) kept.standing.attach(target, uptime)
    return kept
  }

  #make(id: string, model: Target): Kept {
    const connection = this.#route.name
    const standing = new StandingTarget(model, this.#route)
    const { target } = standing
    const completion = 'completion' in target ? target.completion : undefined
    const tasks = 'tasks' in target ? target.tasks : undefined
    const entry: Entry = Object.freeze({
      ...{ id, connection, target },
      ...(completion && { completion: Object.freeze({ id, connection, target: completion }) }),
      ...(tasks && { tasks: Object.freeze({ id, connection, target: tasks }) }),
    })
    return { entry, standing }
  }
}

/** Resources and prompts have their kind before the connection, whose names may not be those words (C-03). */
function idOf(connection: string, { kind, name }: Target): string {
  if (kind === 'tool') return `${connection}:${name}`
  return `${kind === 'prompt' ? 'prompt' : 'resource'}:${connection}:${name}`
}
