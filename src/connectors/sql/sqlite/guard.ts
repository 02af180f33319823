import { constants } from 'node:sqlite'
import { type ErrorCode, WeirError } from '../../../core/error.ts'

const reads = new Set([constants.SQLITE_SELECT, constants.SQLITE_READ, constants.SQLITE_RECURSIVE])

const rowChanges = new Set([constants.SQLITE_INSERT, constants.SQLITE_UPDATE, constants.SQLITE_DELETE])

const definitions = new Set([
  constants.SQLITE_CREATE_TABLE,
  constants.SQLITE_CREATE_INDEX,
  constants.SQLITE_CREATE_VIEW,
  constants.SQLITE_CREATE_TRIGGER,
  constants.SQLITE_DROP_TABLE,
  constants.SQLITE_DROP_INDEX,
  constants.SQLITE_DROP_VIEW,
  constants.SQLITE_DROP_TRIGGER,
  constants.SQLITE_DROP_VTABLE,
  constants.SQLITE_ALTER_TABLE,
  constants.SQLITE_REINDEX,
  constants.SQLITE_ANALYZE,
])

/** Things that live in one connection, which many callers share: a temporary table would stand in for a real one. */
const temporaries = new Set([
  constants.SQLITE_CREATE_TEMP_TABLE,
  constants.SQLITE_CREATE_TEMP_INDEX,
  constants.SQLITE_CREATE_TEMP_VIEW,
  constants.SQLITE_CREATE_TEMP_TRIGGER,
  constants.SQLITE_DROP_TEMP_TABLE,
  constants.SQLITE_DROP_TEMP_INDEX,
  constants.SQLITE_DROP_TEMP_VIEW,
  constants.SQLITE_DROP_TEMP_TRIGGER,
])

/** Functions that reach outside the database or into the engine; some are compiled in only elsewhere. */
const functionsDenied = new Set([
  'load_extension',
  'fts3_tokenizer',
  'readfile',
  'writefile',
  'edit',
  'eval',
  'sqlite_log',
])

const modulesAllowed = new Set(['fts3', 'fts4', 'fts5', 'rtree', 'rtree_i32', 'geopoly'])

/** Full-text and R-tree tables ask these of their own database while they are read. */
const pragmasAllowed = new Set(['data_version', 'page_size'])

interface Denial {
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string
}

/**
 * Decides, action by action, what a statement may do: everything not allowed is denied (S11). SQLite asks while it
 * compiles, so a denied statement never starts; it asks again whenever a changed schema makes it compile anew.
 */
export class Guard {
  readonly #mode: 'read' | 'write'
  readonly #hint: string
  #denial: Denial | undefined
  /** True while Weir's own statements run, the ones that describe the schema. */
  trusted = false
  /** Whether SQLite compiled something since `reset`. */
  consulted = false
  /** The table that the statement itself inserts into. */
  insertsInto: string | undefined
  changesRows = false
  defines = false

  constructor(mode: 'read' | 'write', writable: boolean) {
    this.#mode = mode
    this.#hint = writable
      ? 'Send statements that write through execute_transaction.'
      : 'Only an operator can allow writing, with `write: true` at this database.'
  }

  /** Forgets what the statement before it did. */
  reset(): void {
    this.#denial = undefined
    this.consulted = false
    this.insertsInto = undefined
    this.changesRows = false
    this.defines = false
  }

  /** The refusal behind SQLite's bare `not authorized`. */
  get denial(): WeirError | undefined {
    return this.#denial && new WeirError(this.#denial.code, this.#denial.message, { hint: this.#denial.hint })
  }

  readonly authorize = (
    action: number,
    first: string | null,
    second: string | null,
    _database: string | null,
    trigger: string | null,
  ): number => {
    this.consulted = true
    if (reads.has(action) || this.trusted) return constants.SQLITE_OK
    if (rowChanges.has(action) || definitions.has(action)) return this.#change(action, first, trigger)
    if (action === constants.SQLITE_FUNCTION && !functionsDenied.has(second?.toLowerCase() ?? '')) {
      return constants.SQLITE_OK
    }
    if (action === constants.SQLITE_PRAGMA && second === null && pragmasAllowed.has(first ?? '')) {
      return constants.SQLITE_OK
    }
    if (action === constants.SQLITE_CREATE_VTABLE && modulesAllowed.has(second?.toLowerCase() ?? '')) {
      return this.#change(action, first, trigger)
    }
    return this.#deny(describeDenial(action, first, second))
  }

  #change(action: number, table: string | null, trigger: string | null): number {
    if (this.#mode === 'read') {
      const message = 'The statement would change the database, and this tool only reads.'
      return this.#deny({ code: 'SQL_READ_ONLY', message, hint: this.#hint })
    }
    if (!rowChanges.has(action)) this.defines = true
    else if (trigger === null) {
      this.changesRows = true
      if (action === constants.SQLITE_INSERT) this.insertsInto ??= table ?? undefined
    }
    return constants.SQLITE_OK
  }

  #deny(denial: Denial): number {
    this.#denial ??= denial
    return constants.SQLITE_DENY
  }
}

function describeDenial(action: number, first: string | null, second: string | null): Denial {
  const forbidden = (what: string, hint: string): Denial => ({
    code: 'SQL_FORBIDDEN',
    message: `The statement would ${what}.`,
    hint,
  })
  if (action === constants.SQLITE_TRANSACTION || action === constants.SQLITE_SAVEPOINT) {
    return forbidden(
      `control the transaction (${first})`,
      'Leave it out: execute_transaction begins, commits and rolls back itself.',
    )
  }
  if (action === constants.SQLITE_PRAGMA) {
    return forbidden(
      `use PRAGMA ${first}`,
      'Use get_schema to learn about tables; settings belong to the operator.',
    )
  }
  if (action === constants.SQLITE_FUNCTION) return forbidden(`call ${second}()`, 'Leave this function out.')
  if (temporaries.has(action)) {
    return forbidden('use temporary objects', 'Write a common table expression (WITH) instead.')
  }
  if (action === constants.SQLITE_CREATE_VTABLE) {
    return forbidden(`use the table module ${second}`, `Modules allowed: ${[...modulesAllowed].join(', ')}.`)
  }
  return forbidden(
    'open another file, as ATTACH and VACUUM do',
    'Ask the operator to add the other database to the config.',
  )
}
