import { closeSync, existsSync, openSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { SchemaDescription, Statement } from '../dialect.ts'
import { type CompiledStatement, compileStatement } from './compiled-statement.ts'
import { describeSchema } from './describe-schema.ts'
import { isUnfinishedCommit, lostReader, toOpenError, toStatementError } from './failure.ts'
import { Guard } from './guard.ts'
import { PageReader } from './page-reader.ts'
import { runRead } from './run-read.ts'
import { runTransaction } from './run-transaction.ts'
import type { WorkerOptions } from './worker-protocol.ts'

const statementsMax = 256
const fileCheckIntervalMs = 1000

/** Bounds a single string or blob, and the work of one LIKE; nothing can be attached. */
const limits = { length: 64 * 1024 * 1024, likePatternLength: 1000, attach: 0, variableNumber: 1000 }

/**
 * One process's hold on one database file. Opens it at the first request and again after a failure, or after the
 * file was replaced by another, so that a database that was down or swapped heals by itself.
 */
export class Session {
  readonly #options: WorkerOptions
  readonly #guard: Guard
  readonly #compiled = new Map<string, CompiledStatement>()
  #database: DatabaseSync | undefined
  #pages: PageReader | undefined
  #inode = 0n
  #checkedMs = 0

  constructor(options: WorkerOptions) {
    this.#options = options
    this.#guard = new Guard(options.mode, options.writable)
  }

  /** Gives a RowSet as JSON text. */
  read(statement: Statement, bytesMax: number): string {
    return this.#attempt((database) => {
      const compiled = this.#compile(database, statement.query)
      return runRead(compiled, statement, this.#guard, { rowsMax: this.#options.rowsMax, bytesMax })
    })
  }

  /** Begins a result that `next` reads on. */
  openReader(statement: Statement): void {
    this.#attempt((database) => {
      const compiled = this.#compile(database, statement.query)
      this.#pages = new PageReader({ database, compiled, guard: this.#guard }, statement)
    })
  }

  /** Gives the next rows as a RowSet in JSON text. */
  next(bytesMax: number): string {
    return this.#attempt(() => {
      // A process that was killed for being slow comes back without its iterator.
      if (this.#pages === undefined) throw lostReader(this.#options.alias)
      return this.#pages.next({ rowsMax: this.#options.rowsMax, bytesMax })
    })
  }

  /** Gives a TransactionResult as JSON text. `leaveToCommit` returns once the commit may begin. */
  transact(statements: readonly Statement[], bytesMax: number, leaveToCommit: () => void): string {
    return this.#attempt((database) =>
      runTransaction(database, statements, {
        alias: this.#options.alias,
        guard: this.#guard,
        compile: (query) => this.#compile(database, query),
        limits: { rowsMax: this.#options.rowsMax, bytesMax },
        leaveToCommit,
      }),
    )
  }

  describe(tableName: string | undefined): SchemaDescription {
    return this.#attempt((database) => {
      this.#guard.trusted = true
      try {
        return describeSchema(database, this.#options.alias, tableName)
      } finally {
        this.#guard.trusted = false
      }
    })
  }

  /** Reads from the file itself: `select 1` alone would succeed on anything. */
  check(): void {
    this.#checkedMs = Number.NEGATIVE_INFINITY
    this.#attempt((database) => database.prepare('select count(*) from sqlite_schema').get())
  }

  close(): void {
    this.#pages?.close()
    this.#pages = undefined
    this.#compiled.clear()
    this.#database?.close()
    this.#database = undefined
  }

  #attempt<T>(work: (database: DatabaseSync) => T): T {
    this.#guard.reset()
    try {
      return work(this.#open())
    } catch (thrown) {
      const error = (cause: unknown) => toStatementError(cause, this.#guard, this.#options.alias)
      if (!this.#options.writable || !isUnfinishedCommit(thrown)) throw error(thrown)
      try {
        this.#repair()
        return work(this.#open())
      } catch (again) {
        throw error(again)
      }
    }
  }

  /**
   * A writer that was killed leaves a half-written file and the journal that undoes it. A reader may not use the
   * journal; where the operator allows writing, opening the file once for writing does.
   */
  #repair(): void {
    this.close()
    const repairing = new DatabaseSync(this.#options.path, { timeout: this.#options.busyTimeoutMs })
    repairing.prepare('select count(*) from sqlite_schema').get()
    repairing.close()
  }

  #compile(database: DatabaseSync, query: string): CompiledStatement {
    let compiled = this.#compiled.get(query)
    if (compiled === undefined) {
      compiled = compileStatement(database, this.#guard, query)
      if (this.#compiled.size >= statementsMax) this.#compiled.delete(this.#compiled.keys().next().value!)
    } else {
      this.#compiled.delete(query)
    }
    this.#compiled.set(query, compiled)
    return compiled
  }

  #open(): DatabaseSync {
    const nowMs = performance.now()
    if (nowMs - this.#checkedMs > fileCheckIntervalMs) {
      this.#checkedMs = nowMs
      if (this.#database !== undefined && this.#inode !== inodeOf(this.#options.path)) this.close()
    }
    this.#database ??= this.#openFile()
    return this.#database
  }

  #openFile(): DatabaseSync {
    const { path, alias, mode, writable, busyTimeoutMs } = this.#options
    try {
      if (writable && !existsSync(path)) closeSync(openSync(path, 'a'))
      const database = new DatabaseSync(path, {
        readOnly: mode === 'read',
        timeout: busyTimeoutMs,
        allowExtension: false,
        defensive: true,
        limits,
      })
      database.exec(`pragma trusted_schema = off; pragma query_only = ${mode === 'read'}`)
      database.setAuthorizer(this.#guard.authorize)
      this.#inode = inodeOf(path)
      return database
    } catch (thrown) {
      throw toOpenError(thrown, alias, existsSync(path))
    }
  }
}

function inodeOf(path: string): bigint {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? 0n
}
