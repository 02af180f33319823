import type { Target } from './tool.ts'

/** A target as the catalog knows it. The object is the target's identity: a changed definition is a new Entry. */
export interface Entry {
  /** `{connection}:{tool}`: the name in permissions, the REST dialect, logs and the command line (C-03). */
  readonly id: string
  readonly connection: string
  readonly target: Target
}

/** Ends what it was given for; calling it twice is safe. */
export interface Disposable {
  dispose(): void
}

/** One name a client sees, and what it stands for. */
export interface Named {
  readonly name: string
  readonly entry: Entry
}

/** What one URL serves: every target under one unique name, in a stable order. */
export interface View {
  /** Changes whenever `list()` would answer differently, so that a rendered list can be kept. */
  readonly version: number
  /** O(1). */
  find(name: string): Entry | undefined
  list(): readonly Named[]
  onChange(listener: () => void): Disposable
}

/** How one connection stands. `cause` says why it is not up. */
export interface ConnectionStatus {
  readonly name: string
  readonly type: string
  readonly state: 'starting' | 'up' | 'down'
  readonly tools: number
  readonly cause?: string
}

/** Every live target under one unique name. */
export interface Catalog {
  /** By id, `{connection}:{tool}`. */
  find(id: string): Entry | undefined
  /** Ids that a bare tool name could mean, in catalog order; empty where none has it. */
  candidates(toolName: string): readonly string[]
  /** `undefined`: everything, prefixed. A connection's name: that connection alone, unprefixed. */
  view(name?: string): View | undefined
  connections(): readonly ConnectionStatus[]
  /** Waits until no connection is starting, and at most until `timeoutMs` after the catalog was opened (R6). */
  settled(timeoutMs: number): Promise<void>
}
