import type { Connection } from '../core/connector.ts'
import { jsonSchema } from '../core/schema.ts'
import type { Tool } from '../core/tool.ts'

/** A tool that answers with nothing. */
export function createTool(name: string): Tool {
  return {
    kind: 'tool',
    name,
    description: name,
    effect: 'read',
    input: jsonSchema({ type: 'object' }),
    run: async () => ({}),
  }
}

/** A connection whose tools and death a test decides. It counts what is asked of it. */
export interface HeldConnection extends Connection {
  offer(tools: readonly Tool[]): void
  die(cause: Error): void
  /** Listeners that were given and not taken back. */
  readonly listeners: number
  readonly closes: number
}

export function createConnection(tools: readonly Tool[]): HeldConnection {
  let offered = tools
  let closes = 0
  const changes = new Set<() => void>()
  const deaths = new Set<(cause: Error) => void>()
  const follow = <T>(listeners: Set<T>, listener: T) => {
    listeners.add(listener)
    return { dispose: () => void listeners.delete(listener) }
  }
  return {
    targets: () => offered,
    onChange: (listener) => follow(changes, listener),
    onClose: (listener) => follow(deaths, listener),
    check: async () => {},
    close: async () => {
      closes += 1
    },
    offer(more) {
      offered = more
      for (const listener of [...changes]) listener()
    },
    die(cause) {
      for (const listener of [...deaths]) listener(cause)
    },
    get listeners() {
      return changes.size + deaths.size
    },
    get closes() {
      return closes
    },
  }
}
