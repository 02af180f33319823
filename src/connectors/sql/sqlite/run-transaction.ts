import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { WeirError } from '../../../core/error.ts'
import type { Statement } from '../dialect.ts'
import { elapsedMs } from '../elapsed-ms.ts'
import { bindParameters, type CompiledStatement } from './compiled-statement.ts'
import { toStatementError } from './failure.ts'
import type { Guard } from './guard.ts'
import { type RenderedRows, type ResultLimits, renderRowSet, renderRows } from './run-read.ts'
import { renderInteger } from './values.ts'

interface TransactionContext {
  readonly alias: string
  readonly guard: Guard
  readonly limits: ResultLimits
  compile(query: string): CompiledStatement
  leaveToCommit(): void
}

/**
 * Runs every statement or none (D0-013, D0-016) and renders a TransactionResult as JSON text. The lock is taken at
 * the start, so two writers wait for each other instead of failing half-way.
 */
export function runTransaction(
  database: DatabaseSync,
  statements: readonly Statement[],
  context: TransactionContext,
): string {
  const startedMs = performance.now()
  control(database, context.guard, 'BEGIN IMMEDIATE')
  try {
    const results = runStatements(statements, context)
    context.leaveToCommit()
    control(database, context.guard, 'COMMIT')
    return `{"results":[${results.join(',')}],"execution_time_ms":${elapsedMs(startedMs)}}`
  } catch (thrown) {
    const error = toStatementError(thrown, context.guard, context.alias)
    if (database.isTransaction) control(database, context.guard, 'ROLLBACK')
    throw error
  }
}

/** The guard denies these words to every statement but Weir's own. */
function control(database: DatabaseSync, guard: Guard, words: string): void {
  guard.trusted = true
  try {
    database.exec(words)
  } finally {
    guard.trusted = false
  }
}

function runStatements(statements: readonly Statement[], context: TransactionContext): string[] {
  let bytesLeft = context.limits.bytesMax
  return statements.map((statement, index) => {
    try {
      const limits = { rowsMax: context.limits.rowsMax, bytesMax: bytesLeft }
      const { text, bytes } = runStatement(statement, context, limits)
      bytesLeft -= bytes
      return text
    } catch (thrown) {
      throw nameStatement(toStatementError(thrown, context.guard, context.alias), index, statements.length)
    }
  })
}

/** A statement without columns answers with its count (B-04). */
function runStatement(statement: Statement, context: TransactionContext, limits: ResultLimits) {
  context.guard.reset()
  const compiled = context.compile(statement.query)
  const values = bindParameters(compiled, statement)
  if (compiled.keys.length > 0) {
    // A statement that writes and returns rows must not be started over, so its integers come as BigInt at once.
    if (compiled.changesRows && !compiled.bigIntegers) {
      compiled.bigIntegers = true
      compiled.statement.setReadBigInts(true)
    }
    const rows: RenderedRows = renderRows(compiled, values, context.guard, limits)
    return { text: `{${renderRowSet(compiled, rows)}}`, bytes: rows.bytes }
  }
  return { text: renderChange(compiled, values as SQLInputValue[]), bytes: 0 }
}

/** SQLite's counters stand still where a statement changes no row, so only one that does is believed. */
function renderChange(compiled: CompiledStatement, values: SQLInputValue[]): string {
  compiled.statement.setReadBigInts(true)
  const { changes, lastInsertRowid } = compiled.statement.run(...values)
  if (!compiled.changesRows) return '{"rowcount":0}'
  const inserted = compiled.insertsRowId && Number(changes) > 0
  return `{"rowcount":${changes}${inserted ? `,"last_insert_id":${renderInteger(lastInsertRowid)}` : ''}}`
}

function nameStatement(error: WeirError, index: number, total: number): WeirError {
  const message = `Statement ${index + 1} of ${total}: ${error.message} Nothing was changed.`
  const data = { ...error.data, statement: index + 1 }
  return new WeirError(error.code, message, {
    data,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
  })
}
