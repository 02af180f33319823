import type { Completion, Prompt, Resource, ResourceTemplate, Target, TaskControl, Tool } from './tool.ts'

/** A target as the catalog knows it. The object is the target's identity: a changed definition is a new Entry. */
export interface Entry<T extends Target = Target> {
  /**
   * The name in permissions, the REST dialect, logs and the command line (C-03): `{connection}:{tool}`,
   * `resource:{connection}:{uri}`, `prompt:{connection}:{name}`.
   */
  readonly id: string
  readonly connection: string
  readonly target: T
  /** The target's `completion` and `tasks` as entries, under the same id. */
  readonly completion?: Entry<Completion>
  readonly tasks?: Entry<TaskControl>
}

/** Ends what it was given for; calling it twice is safe. */
export interface Disposable {
  dispose(): void
}

/** One name a client sees, and what it stands for. */
export interface Named<T extends Target = Target> {
  readonly name: string
  readonly entry: Entry<T>
  /** Set where the connection has been down for a while, and this is what it offered last (R6). */
  readonly stale?: Staleness
}

/** Since when a definition is only remembered, and why. */
export interface Staleness {
  /** ISO 8601. */
  readonly since: string
  readonly cause: string
}

/** One list that a URL serves: every target of one kind under one unique name, in a stable order. */
export interface Listing<T extends Target = Target> {
  /** Changes whenever `list()` would answer differently, so that a rendered list can be kept. */
  readonly version: number
  /** O(1). */
  find(name: string): Entry<T> | undefined
  list(): readonly Named<T>[]
  onChange(listener: () => void): Disposable
}

/** What answers for a URI, and the URI as the connection knows it. */
export interface Resolved {
  readonly entry: Entry<Resource | ResourceTemplate>
  readonly uri: string
}

/** What one URL serves. */
export interface View {
  /** What it is for, in the operator’s words; clients are told when they connect. */
  readonly description?: string | undefined
  readonly tools: Listing<Tool>
  readonly prompts: Listing<Prompt>
  readonly resources: Listing<Resource>
  readonly templates: Listing<ResourceTemplate>
  /** The listed resource, the template that fits, or the connection that alone can know the URI. */
  resolve(uri: string): Resolved | undefined
  /**
   * Calls back after each change of a resource, across restarts of its connection, until disposed. `undefined` where
   * nothing answers for the URI, or its connection tells of no changes. `uri` is the one the client uses.
   */
  watch(uri: string, listener: () => void): Disposable | undefined
}

/** How one connection stands. `cause` says why it is not up. */
export interface ConnectionStatus {
  readonly name: string
  readonly type: string
  /** `idle`: started by its first call. `crash-loop`: it dies at each start, and is tried again from time to time (R4). */
  readonly state: 'idle' | 'starting' | 'up' | 'down' | 'crash-loop'
  readonly tools: number
  readonly resources: number
  readonly prompts: number
  readonly cause?: string
}

/** Every live target under one unique name. */
export interface Catalog {
  /** By id, tools only: `{connection}:{tool}`. */
  find(id: string): Entry<Tool> | undefined
  /** Ids that a bare tool name could mean, in catalog order; empty where none has it. */
  candidates(toolName: string): readonly string[]
  /** `undefined`: everything, prefixed. A connection's name: that connection alone, unprefixed. A toolset's: its selection. */
  view(name?: string): View | undefined
  /** Tools that fit the words best, best first; at most `limit`. A part of a name always finds it. No words: all tools, by name. */
  search(query: string, options: SearchOptions): Promise<readonly Entry<Tool>[]>
  connections(): readonly ConnectionStatus[]
  /**
   * Waits until every connection offers what it has or has failed to, and at most until `timeoutMs` after the catalog was
   * opened (R6). Whether the systems behind them answer may show later.
   */
  settled(timeoutMs: number): Promise<void>
  /** The same until it is known how every connection stands: none is `starting` any more. */
  proven(timeoutMs: number): Promise<void>
}

/** What a search is narrowed to. */
export interface SearchOptions {
  readonly limit: number
  readonly category?: string | undefined
  /** Absent: every tool. Tools that it refuses take no place of those that are found. */
  readonly accepts?: (entry: Entry<Tool>) => boolean
}
