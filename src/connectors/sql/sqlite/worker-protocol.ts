import type { ErrorCode } from '../../../core/error.ts'
import type { Statement } from '../dialect.ts'

/** What a database process is started with, as JSON in its first argument. */
export interface WorkerOptions {
  /** Absolute. */
  readonly path: string
  readonly alias: string
  /** Whether this process may change data; one process per database does, the readers never. */
  readonly mode: 'read' | 'write'
  /** Whether the operator allows writing at all: a missing file is then made, an unfinished commit repaired. */
  readonly writable: boolean
  readonly busyTimeoutMs: number
  readonly rowsMax: number
}

/** One line in. Answers come in the same order, so requests need no id. */
export type WorkerRequest =
  | { readonly op: 'read'; readonly statement: Statement; readonly bytesMax: number }
  /** `open` begins what `next` then gives page by page; a process holds one at most. */
  | { readonly op: 'open'; readonly statement: Statement }
  | { readonly op: 'next'; readonly bytesMax: number }
  | { readonly op: 'transact'; readonly statements: readonly Statement[]; readonly bytesMax: number }
  | { readonly op: 'describe'; readonly tableName: string | undefined }
  | { readonly op: 'check' }

/** The line that lets a transaction commit, in answer to `committing`. */
export const commitLine = '"commit"\n'

/** What a failed request answers, ready to become a WeirError again. */
export interface WorkerFailure {
  readonly code: ErrorCode
  readonly message: string
  readonly hint?: string | undefined
  readonly data?: Readonly<Record<string, unknown>> | undefined
}

/**
 * One line out. `ready` comes once, first. `committing` asks for leave to commit: from the leave on
 * the process is not killed for being late, so that an answer never says the wrong thing of a commit.
 */
export type WorkerMessage =
  | { readonly ready: true }
  | { readonly committing: true }
  | { readonly ok: unknown }
  | { readonly failed: WorkerFailure }

/** What the watchdog leaves on standard error before it ends a process that takes too much memory. */
export const memoryMark = 'weir: memory'

/** Resident memory at which a database process is ended, in bytes. */
export const memoryBytesMax = 512 * 1024 * 1024
