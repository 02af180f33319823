import type { SQLInputValue } from 'node:sqlite'
import type { ProcedureName } from '../../procedures.ts'

/** One statement as kysely compiled it. */
export interface Statement {
  readonly sql: string
  readonly parameters: readonly SQLInputValue[]
}

/** One of our own procedures, and what it is given. */
export interface ProcedureCall {
  readonly procedure: ProcedureName
  readonly parameters: readonly string[]
}

/** Statements that belong together: all take effect or none. */
export interface Unit {
  readonly isRead: boolean
  readonly statements: readonly (Statement | ProcedureCall)[]
}

/** What one statement gave. */
export interface StatementResult {
  readonly rows: readonly unknown[]
  readonly changes: number
}

/** What SQLite threw; `code` is its extended result code, 0 where it was not SQLite. */
export interface Failure {
  readonly code: number
  readonly message: string
}

/**
 * What became of one unit. `isBusy`: another process holds the file, nothing was tried, it may be sent again.
 * `isPutOff`: the answers of its group are large enough already, it is to be sent again. `isUnknown`: it failed so late
 * that it may be durable all the same.
 */
export type Answer =
  | { readonly results: readonly StatementResult[] }
  | { readonly isBusy: true }
  | { readonly isPutOff: true }
  | { readonly failure: Failure; readonly isUnknown: boolean }

/** What the thread needs to open the database. */
export interface ThreadOptions {
  /** Absolute, or `:memory:`. */
  readonly path: string
  /** The most bytes that the file may grow to. */
  readonly fileBytesMax: number
}

/** To the thread: one group of units, or the end. */
export type Request = readonly Unit[] | 'close'

/** From the thread: that it is open, that it cannot be, or one group's answers and the commits they took so far. */
export type Message =
  | { readonly ready: true }
  | {
      readonly unusable: Failure & { readonly known?: { readonly message: string; readonly hint?: string } }
    }
  | { readonly answers: readonly Answer[]; readonly commits: number }
