import type { Disposable } from '../../../core/catalog.ts'
import type { Logger } from '../../../core/logger.ts'

/** Together they bound what a server is told to watch, and the one request that tells a modern server all of it. */
const watchesMax = 10_000
const uriCharsMax = 1024 * 1024
/** How far up a changed URI is followed to what is watched above it. */
const levelsMax = 64

/** Sees to it that the server tells of changes of what is watched. */
export interface Follower {
  /** A URI is watched now, or is no longer. */
  changed(uri: string): void
  /** The server has forgotten what it was told. */
  renewed(): void
}

/** What followers know of the watches. */
export interface Watched {
  has(uri: string): boolean
  uris(): readonly string[]
  /** Changes of one, or of all, may have been missed: who watches is told, so that nobody keeps what is old. */
  missed(uri?: string): void
}

/** Who follows which resource. The server is told of each URI once, however many follow it. */
export class ResourceWatches implements Watched {
  readonly #byUri = new Map<string, Set<() => void>>()
  readonly #createFollower: (watched: Watched) => Follower
  readonly #log: Logger
  #follower: Follower | undefined
  #count = 0
  #chars = 0

  constructor(createFollower: (watched: Watched) => Follower, log: Logger) {
    this.#createFollower = createFollower
    this.#log = log
  }

  /** `undefined` at the bounds: nobody is promised news that will not come. */
  add(uri: string, listener: () => void): Disposable | undefined {
    const known = this.#byUri.get(uri)
    const chars = known === undefined ? uri.length : 0
    if (this.#count >= watchesMax || this.#chars + chars > uriCharsMax) {
      this.#log.warn(
        { watchesMax, uriCharsMax },
        'So much is watched at the MCP server that no more is taken.',
      )
      return undefined
    }
    // One listener may be given twice, and each time is ended by itself.
    const own = () => listener()
    this.#count += 1
    if (known !== undefined) known.add(own)
    else this.#begin(uri, own)
    return { dispose: () => this.#end(uri, own) }
  }

  has(uri: string): boolean {
    return this.#byUri.has(uri)
  }

  uris(): readonly string[] {
    return [...this.#byUri.keys()]
  }

  /** The server says that a resource has changed. It may be one below that which is watched. */
  updated(uri: unknown): void {
    if (typeof uri !== 'string') return
    this.#notify(uri)
    let end = uri.length
    for (let level = 0; level < levelsMax && end > 0; level += 1) {
      end = uri.lastIndexOf('/', end - 1)
      if (end <= 0) return
      if (end + 1 < uri.length) this.#notify(uri.slice(0, end + 1))
      this.#notify(uri.slice(0, end))
    }
  }

  missed(uri?: string): void {
    for (const missed of uri === undefined ? this.uris() : [uri]) this.#notify(missed)
  }

  /** The server has a new session. */
  renewed(): void {
    this.#follower?.renewed()
  }

  close(): void {
    this.#byUri.clear()
  }

  #begin(uri: string, listener: () => void): void {
    this.#byUri.set(uri, new Set([listener]))
    this.#chars += uri.length
    this.#follower ??= this.#createFollower(this)
    this.#follower.changed(uri)
  }

  #end(uri: string, listener: () => void): void {
    const listeners = this.#byUri.get(uri)
    if (listeners?.delete(listener) !== true) return
    this.#count -= 1
    if (listeners.size > 0) return
    this.#byUri.delete(uri)
    this.#chars -= uri.length
    this.#follower?.changed(uri)
  }

  #notify(uri: string): void {
    for (const listener of [...(this.#byUri.get(uri) ?? [])]) listener()
  }
}
