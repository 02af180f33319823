import type { Authorisation } from './authorisation.ts'
import type { Disposable } from './catalog.ts'
import type { Logger } from './logger.ts'
import type { Schema } from './schema.ts'
import type { CredentialStore } from './stores.ts'
import type { Target } from './tool.ts'

/**
 * A kind of system: its config, and how to open one. Config field descriptions are its documentation.
 * No retry, logging, metrics or caller authentication inside: those are stages and frontends.
 */
export interface Connector<C = unknown> {
  /** kebab-case; what `type:` says in the config. */
  readonly type: string
  /** One sentence for people who choose. */
  readonly summary: string
  readonly config: Schema & { parse(value: unknown): C }
  /** True where what it offers is told by the other side, and so is worth remembering while that is away. */
  readonly isUpstream?: boolean
  /** Opens a connection. May reject; Weir then tries again with growing pauses and serves the rest meanwhile. */
  open(config: C, context: OpenContext): Promise<Connection>
  /** Where connections of this kind may need a person's consent: how it is asked for. `undefined`: this one never does. */
  authorisation?(config: C, context: OpenContext): Authorisation | undefined
}

/** What a connector may use of Weir. */
export interface OpenContext {
  /** The connection's configured name. */
  readonly name: string
  /** Relative paths in the config resolve from here: the config file's folder. Absolute. */
  readonly baseDir: string
  readonly log: Logger
  /** Where the connection keeps secrets that it obtains itself; absent where nothing is kept. */
  readonly credentials?: CredentialStore
  /** What `Connection.notes` said last, in this process or an earlier one, of the same configuration. */
  readonly notes?: Readonly<Record<string, string>>
  /** Aborts when Weir stops before `open` is done. */
  readonly signal: AbortSignal
}

/** One configured, open connector. It owns its sockets, workers and children. */
export interface Connection {
  /** What it offers now, in a stable order. The same array until something changes. */
  targets(): readonly Target[]
  /** What the next `open` may want to know; at most a few hundred characters in all. */
  notes?(): Readonly<Record<string, string>>
  /** Follows one resource, by its own URI, for as long as the connection lives. `undefined`: it tells of no changes. */
  watch?(uri: string, listener: () => void): Disposable | undefined
  /**
   * Reads again what it offers, where the system does not tell of changes by itself; `onChange` then says whether there
   * were any. Called every few minutes.
   */
  refresh?(signal: AbortSignal): Promise<void>
  /** Called after `targets()` began to answer differently. */
  onChange?(listener: () => void): Disposable
  /**
   * Called once if the connection dies for good; Weir then opens a new one. Absent where it cannot die: it then heals by
   * itself, and its calls are neither counted nor run again.
   */
  onClose?(listener: (cause: Error) => void): Disposable
  /** Resolves if the system answers, rejects with the cause if not. Cheap enough for every ten seconds. */
  check(signal: AbortSignal): Promise<void>
  /** Releases everything. Safe to call twice; resolves when no child, socket or worker is left. */
  close(): Promise<void>
}

/** A connector of any config type, as lists hold them; each one parses its own config. */
// biome-ignore lint/suspicious/noExplicitAny: the config type is the connector's own secret.
export type AnyConnector = Connector<any>

/** Gives a connector its types without naming them: `defineConnector({ config: z.object(…), open(config) {…} })`. */
export function defineConnector<C>(connector: Connector<C>): Connector<C> {
  return connector
}
