import type { TlsConfig } from './server/tls-options.ts'

/**
 * A value bound to a placeholder (D0-023, B-41). Bytes travel as base64; `$datetime` is an instant in ISO 8601 that each
 * database gets in its own form; `$json` is stored as JSON; lists are for databases that have arrays.
 */
export type Parameter =
  | string
  | number
  | boolean
  | null
  | { readonly $bytes: string }
  | { readonly $datetime: string }
  | { readonly $json: unknown }
  | readonly Parameter[]

/** One SQL statement and its values, by position (D0-015). */
export interface Statement {
  readonly query: string
  readonly parameters?: readonly Parameter[] | undefined
}

/** Rows as a tool shows them (D0-012, D1-017); `truncated` says that a row or byte limit cut them off. */
export interface RowSet {
  readonly rows: readonly Readonly<Record<string, unknown>>[]
  /** In the statement's order; a repeated name is numbered, `id`, `id_2`, so that no value is lost. */
  readonly columns: readonly string[]
  readonly count: number
  readonly truncated: boolean
  readonly execution_time_ms: number
}

/** What one statement of a transaction did; a decimal string where an id exceeds 2^53 (B-04, D0-013). */
export interface ChangeCount {
  readonly rowcount: number
  readonly last_insert_id?: number | string
}

/** What concurrent transactions may see of each other, in SQL's own words, weakest first (D1-018). */
export const isolationLevels = [
  'READ UNCOMMITTED',
  'READ COMMITTED',
  'REPEATABLE READ',
  'SERIALIZABLE',
] as const
export type IsolationLevel = (typeof isolationLevels)[number]

/** How a transaction runs. */
export interface TransactOptions {
  /** The most bytes of rows that all statements together answer with. */
  readonly bytesMax: number
  /** The database's own default where it is absent; a stronger one than asked for will do. */
  readonly isolation?: IsolationLevel | undefined
}

/** All statements' results, in their order. */
export interface TransactionResult {
  readonly results: readonly (Omit<RowSet, 'execution_time_ms'> | ChangeCount)[]
  readonly execution_time_ms: number
}

/** One column, as `get_schema` tells it. */
export interface ColumnDescription {
  readonly name: string
  readonly type: string
  readonly nullable: boolean
  /** The default's SQL text; absent where there is none. */
  readonly default?: string
  readonly primary_key: boolean
  /** What its owner wrote about it; absent where the database keeps no such thing. */
  readonly comment?: string
}

/** One foreign key: its columns, and what they point to. */
export interface ForeignKeyDescription {
  readonly columns: readonly string[]
  readonly references_table: string
  /** Empty where the key refers to the other table's primary key without naming it. */
  readonly references_columns: readonly string[]
  readonly on_update: string
  readonly on_delete: string
}

/** One index and its columns, in order. */
export interface IndexDescription {
  readonly name: string
  readonly unique: boolean
  /** `null` stands for an expression. */
  readonly columns: readonly (string | null)[]
}

/** One table or view with everything a query needs to know of it. */
export interface TableDescription {
  readonly name: string
  readonly type: 'table' | 'view' | 'virtual'
  readonly columns: readonly ColumnDescription[]
  readonly foreign_keys: readonly ForeignKeyDescription[]
  readonly indexes: readonly IndexDescription[]
  /** Absent where a cheap look cannot tell. */
  readonly rows_estimate?: number
  /** Why it cannot be described or queried; absent where it can. */
  readonly problem?: string
  readonly comment?: string
}

/** A database as `get_schema` answers it (D0-014). */
export interface SchemaDescription {
  readonly tables: readonly TableDescription[]
  readonly truncated: boolean
}

/** How long an answer is awaited. `signal` is touched only by calls that run long: making one is dear. */
export interface Patience {
  readonly signal: AbortSignal
  /** On the monotonic clock, milliseconds. */
  readonly deadlineMs: number
}

/**
 * One result held open, read page by page. It has a connection or process of its own, so that it keeps nobody else waiting, and
 * the same rules as a read: the engine keeps it from writing. An error ends it.
 */
export interface RowReader {
  /**
   * The next rows: at most the database's `rowsMax`, and `bytesMax` bytes. `truncated` says that there are more. One at a time.
   */
  next(bytesMax: number, patience: Patience): Promise<RowSet>
  /** Lets go of what it holds. Safe to call twice, and while `next` is under way. */
  close(): Promise<void>
}

/** One open database. Every method rejects with a WeirError, and none falls back to another database (B-05). */
export interface Database {
  /** Runs one statement that the engine itself keeps from writing (S11). */
  read(statement: Statement, bytesMax: number, patience: Patience): Promise<RowSet>
  /** Begins a read whose rows are taken page by page. The caller closes it. */
  openReader(statement: Statement, patience: Patience): Promise<RowReader>
  /**
   * All or nothing, in order (D0-013, D0-016). Rejects with SQL_READ_ONLY where writing is not allowed, with SQL_CONFLICT where
   * it collided with another transaction and changed nothing, with OUTCOME_UNKNOWN where the commit was not answered.
   */
  transact(
    statements: readonly Statement[],
    options: TransactOptions,
    patience: Patience,
  ): Promise<TransactionResult>
  /** Every table and view, or the one named (D0-014). */
  describe(tableName: string | undefined, patience: Patience): Promise<SchemaDescription>
  /** Resolves once the database has read something from its own storage. */
  check(patience: Patience): Promise<void>
  /** Safe to call twice; no process or socket is left. */
  close(): Promise<void>
}

/** One database's config, checked. */
export interface DatabaseConfig {
  readonly url: string
  readonly write: boolean
  readonly rowsMax: number
  readonly statementTimeoutMs: number
  readonly readers: number
  readonly pool: { readonly min: number; readonly max: number; readonly idleMs: number }
  readonly tls?: boolean | TlsConfig | undefined
  readonly allowAdminRole: boolean
  /** What transactions run at where a call does not say. */
  readonly isolation?: IsolationLevel | undefined
}

/** An option that only some dialects can use. */
export type DialectOption = 'readers' | 'pool' | 'tls' | 'allowAdminRole' | 'isolation'

/** A kind of database server: the one thing to write for another one. */
export interface Dialect {
  /** Its name, for people. */
  readonly title: string
  /** Its name by the conventions of OpenTelemetry. */
  readonly system: 'postgresql' | 'mysql' | 'sqlite'
  /** URL schemes, without the colon. */
  readonly schemes: readonly string[]
  /** Those that it can use; another one is an error of the config. */
  readonly options: readonly DialectOption[]
  /** Whether its parameters may be lists. */
  readonly hasArrays: boolean
  /** What is wrong with the URL, as a sentence without any part that may be secret; undefined if nothing is. */
  problemOf(url: string): string | undefined
  /** Connects to nothing yet: a database that is down must not keep the others from working. */
  open(alias: string, config: DatabaseConfig, baseDir: string): Database
}
