import { systemClock } from '../../../core/clock.ts'
import { WeirError } from '../../../core/error.ts'
import type { IsolationLevel, Statement, TransactionResult } from '../dialect.ts'
import { type ResultLimits, RowCollector } from '../server/row-collector.ts'
import { nameStatement, outcomeUnknown, saysUnchanged } from '../server/server-error.ts'
import { toMySqlError } from './mysql-failure.ts'
import { type MySqlSession, MySqlSessionBroken } from './mysql-session.ts'
import { createMySqlShape, type MySqlShape, sizeOfRow } from './mysql-values.ts'
import { compile } from './run-mysql-read.ts'

const commitTimeoutMs = 5000
const implicitCommit = 1399

type Results = TransactionResult['results']

/** What all statements of one transaction share. */
export interface MySqlTransaction {
  readonly alias: string
  readonly limits: ResultLimits
  /** Undefined: the server's own default. */
  readonly isolation: IsolationLevel | undefined
  /** Set once a lone statement runs that commits by itself: nothing undoes it, and nothing is left to commit. */
  isAlone: boolean
}

/**
 * Runs every statement in an XA transaction, in which the server refuses COMMIT, DDL and whatever else would commit what
 * stands before it (D0-013). A lone statement that it refuses for that reason runs by itself: nothing stands before it.
 */
export async function runMySqlStatements(
  session: MySqlSession,
  statements: readonly Statement[],
  context: MySqlTransaction,
): Promise<Results> {
  if (context.isolation !== undefined)
    await session.run(`SET TRANSACTION ISOLATION LEVEL ${context.isolation}`)
  await session.run(`XA START '${session.transactionId}'`)
  const results: Results[number][] = []
  let { bytesMax } = context.limits
  for (const [index, statement] of statements.entries()) {
    const startedMs = performance.now()
    try {
      const { result, bytes } = await runStatement(session, statement, { ...context.limits, bytesMax })
      bytesMax -= bytes
      results.push(result)
    } catch (thrown) {
      if (statements.length === 1 && isDefinition(thrown, statement))
        return [await runAlone(session, statement, context)]
      await rollBack(session)
      const error = toMySqlError(thrown, { alias: context.alias, startedMs, mode: 'write' })
      throw error instanceof WeirError ? nameStatement(error, index, statements.length) : error
    }
  }
  return results
}

async function runStatement(
  session: MySqlSession,
  { query, parameters = [] }: Statement,
  limits: ResultLimits,
) {
  const { compiled, values } = await compile(session, query, parameters)
  const rows = new RowCollector(limits)
  let shape: MySqlShape | undefined
  const { affectedRows, insertId } = await session.execute(compiled, values, {
    fields: (fields) => {
      shape = createMySqlShape(fields)
    },
    row: (row) => rows.take(sizeOfRow(row) + shape!.keyBytes, () => shape!.parse(row)),
  })
  if (shape !== undefined) return { result: rows.render(shape.columns), bytes: rows.bytes }
  const result = { rowcount: affectedRows, ...(Number(insertId) > 0 ? { last_insert_id: insertId } : {}) }
  return { result, bytes: 0 }
}

/** Refused because it commits, and not because it is transaction control, which does nothing by itself. */
function isDefinition(thrown: unknown, { query }: Statement): boolean {
  const isControl = /^\s*(?:commit|rollback|begin|start|xa|lock|unlock|set)\b/i.test(query)
  return (thrown as { errno?: number }).errno === implicitCommit && !isControl
}

async function runAlone(session: MySqlSession, statement: Statement, context: MySqlTransaction) {
  const { alias, limits } = context
  await rollBack(session)
  context.isAlone = true
  const startedMs = performance.now()
  try {
    return (await session.protect(runStatement(session, statement, limits))).result
  } catch (thrown) {
    if (thrown instanceof MySqlSessionBroken) throw outcomeUnknown(alias, thrown)
    throw toMySqlError(thrown, { alias, startedMs, mode: 'write' })
  }
}

/** Undoes a transaction before the caller hears of its failure. A session that cannot is given up, which undoes it too. */
async function rollBack(session: MySqlSession): Promise<void> {
  if (!session.isUsable) return
  try {
    await session.run(`XA END '${session.transactionId}'`).catch(() => {})
    await session.run(`XA ROLLBACK '${session.transactionId}'`)
  } catch {
    session.abandon()
  }
}

/** Commits. Once it was sent nothing stops it any more: OUTCOME_UNKNOWN says that the server did not tell in time. */
export async function commitMySql(session: MySqlSession, alias: string): Promise<void> {
  const startedMs = performance.now()
  let isSent = false
  const timer = systemClock.setTimer(() => session.cutOff(), commitTimeoutMs)
  try {
    await session.run(`XA END '${session.transactionId}'`)
    isSent = session.isUsable
    await session.protect(session.run(`XA COMMIT '${session.transactionId}' ONE PHASE`))
  } catch (thrown) {
    if (thrown instanceof MySqlSessionBroken && isSent) throw outcomeUnknown(alias, thrown)
    await rollBack(session)
    const error = toMySqlError(thrown, { alias, startedMs, mode: 'write' })
    throw error instanceof WeirError ? saysUnchanged(error, thrown) : error
  } finally {
    timer.cancel()
  }
}
