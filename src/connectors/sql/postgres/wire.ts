import type { EventEmitter } from 'node:events'

/** Writes messages of PostgreSQL's extended protocol, each of which is one statement (S11). */
export interface Wire extends EventEmitter {
  readonly stream: { cork(): void; uncork(): void; destroy(error?: Error): void } & EventEmitter
  parse(message: { readonly name: string; readonly text: string }): void
  bind(message: {
    readonly portal?: string
    readonly statement: string
    readonly values?: readonly (string | null)[]
  }): void
  describe(message: { readonly type: 'S' | 'P'; readonly name: string }): void
  execute(message?: { readonly portal?: string; readonly rows?: number }): void
  close(message: { readonly type: 'S' | 'P'; readonly name: string }): void
  /** The simple protocol, which takes several statements: for texts of our own only. */
  query(text: string): void
  sync(): void
  sendCopyFail(reason: string): void
}

/** A column as the server describes it. */
export interface WireField {
  readonly name: string
  readonly dataTypeID: number
}

/** Takes one row as the server wrote it, text by text, and the bytes it took. */
export type RowListener = (step: number, fields: readonly (string | null)[], bytes: number) => void

/** What came back for everything up to one Sync. */
export interface WireAnswer {
  /** One entry a command that ran: its tag, such as `INSERT 0 1`; undefined where the row limit cut it off. */
  readonly tags: (string | undefined)[]
  /** The columns of the statement described; undefined where it gives no rows. */
  fields: readonly WireField[] | undefined
  /** The types of its parameters. */
  parameterTypes: readonly number[]
  /** `I`: no transaction is open; `T`: one is; `E`: one is that failed. */
  status: string
}

/** An error as the server sent it. */
export interface ServerFault extends Error {
  readonly code: string
  readonly severity: string
  readonly routine?: string
  readonly detail?: string
  readonly hint?: string
}

/** Whether the server itself refused, in contrast to a connection that broke. */
export function isServerFault(thrown: unknown): thrown is ServerFault {
  return thrown instanceof Error && 'severity' in thrown && 'routine' in thrown
}
