import type { Disposable } from '../../core/catalog.ts'
import type { Connection } from '../../core/connector.ts'
import { WeirError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'

/** Of one connection, by all its clients. */
const watchersMax = 10_000

interface Watcher {
  readonly uri: string
  readonly listener: () => void
  /** At the connection that is up. */
  following: Disposable | undefined
}

/** Who follows which resource of one connection, whichever connection that is at the time. */
export class ResourceWatchers {
  readonly #watchers = new Set<Watcher>()
  readonly #log: Logger
  #connection: Connection | undefined

  constructor(log: Logger) {
    this.#log = log
  }

  get count(): number {
    return this.#watchers.size
  }

  /** Undefined where the connection is up and tells of no changes. Throws OVERLOADED. */
  add(uri: string, listener: () => void): Disposable | undefined {
    if (this.#watchers.size >= watchersMax) throw tooMany()
    const following = this.#connection?.watch?.(uri, listener)
    if (this.#connection !== undefined && following === undefined) return undefined
    const watcher: Watcher = { uri, listener, following }
    this.#watchers.add(watcher)
    return {
      dispose: () => {
        this.#watchers.delete(watcher)
        watcher.following?.dispose()
      },
    }
  }

  /** A new connection is up. What was followed before is told once, because a change may have been missed meanwhile. */
  follow(connection: Connection): void {
    this.#connection = connection
    for (const watcher of [...this.#watchers]) {
      try {
        watcher.following = connection.watch?.(watcher.uri, watcher.listener)
        watcher.listener()
      } catch (thrown) {
        const cause = thrown instanceof Error ? thrown.message : String(thrown)
        this.#log.warn({ cause, uri: watcher.uri }, 'A resource could not be followed any further.')
      }
    }
  }

  /** The connection is lost; those who follow stay. */
  leave(): void {
    this.#connection = undefined
    for (const watcher of this.#watchers) {
      watcher.following?.dispose()
      watcher.following = undefined
    }
  }
}

function tooMany(): WeirError {
  return new WeirError('OVERLOADED', `${watchersMax} resources of this connection are followed already.`, {
    hint: 'End subscriptions that are no longer needed.',
  })
}
