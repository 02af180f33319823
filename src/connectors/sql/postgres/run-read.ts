import { WeirError } from '../../../core/error.ts'
import type { RowSet, Statement } from '../dialect.ts'
import { checkNoNul } from '../server/check-parameters.ts'
import { type ResultLimits, RowCollector } from '../server/row-collector.ts'
import { bindValues } from './bind-values.ts'
import { ownStatements } from './open-pg-session.ts'
import type { PgSession } from './pg-session.ts'
import type { Prepared } from './prepared-statements.ts'
import type { RowShape } from './row-shape.ts'
import { isServerFault, type Wire } from './wire.ts'

/** Rows beyond the limits that are read and dropped, before the session is given up instead. */
const drainBytesMax = 16 * 1024 * 1024

/** The columns and rows of one statement. */
export type Rows = Omit<RowSet, 'execution_time_ms'>

/**
 * Runs one statement between BEGIN READ ONLY and ROLLBACK, all in one round trip (S11). The rollback undoes every
 * setting, lock and cursor that belongs to a transaction, and what follows it frees the locks that do not. One that
 * gives no rows is not run at all: it could only change something.
 */
export async function runRead(session: PgSession, statement: Statement, limits: ResultLimits): Promise<Rows> {
  try {
    return await runOnce(session, statement, limits)
  } catch (thrown) {
    if (!isStale(thrown)) throw thrown
    await session.statements.forget(statement.query)
    return await runOnce(session, statement, limits)
  }
}

async function runOnce(session: PgSession, statement: Statement, limits: ResultLimits): Promise<Rows> {
  const prepared = await prepareRead(session, statement.query)
  const rows = new RowCollector(limits)
  const values = bindValues(prepared.parameterTypes, statement.parameters ?? [])
  try {
    const { status } = await session.exchange(
      (wire) => {
        runOwn(wire, ownStatements.beginRead)
        wire.bind({ statement: prepared.name, values })
        wire.execute({ rows: limits.rowsMax + 1 })
        runOwn(wire, ownStatements.rollback)
        runOwn(wire, ownStatements.unlock)
      },
      (step, fields, bytes) => {
        if (step === 1) takeRow(session, rows, prepared.shape, fields, bytes)
      },
    )
    if (status !== 'I') session.abandon()
  } catch (thrown) {
    if (rows.droppedBytes <= drainBytesMax) {
      await leaveTransaction(session)
      throw thrown
    }
  }
  return rows.render(prepared.shape.columns)
}

/** Has the server compile a statement and say whether it gives rows. */
export async function prepareRead(
  session: PgSession,
  query: string,
): Promise<Prepared & { readonly shape: RowShape }> {
  checkNoNul(query)
  const prepared = session.statements.find(query) ?? (await session.statements.prepare(query))
  if (prepared.shape !== undefined) return prepared as Prepared & { readonly shape: RowShape }
  throw new WeirError(
    'SQL_READ_ONLY',
    'The statement answers with no rows, so it could only change something.',
    {
      hint: 'Use one that reads, such as SELECT; execute_transaction changes data where the operator allows it.',
    },
  )
}

/** Ends whatever transaction is open and frees what outlives one. A session that cannot is given up. */
export async function leaveTransaction(session: PgSession): Promise<void> {
  if (!session.isUsable) return
  try {
    const { status } = await session.exchange((wire) => {
      runOwn(wire, ownStatements.rollback)
      runOwn(wire, ownStatements.unlock)
    })
    if (status !== 'I') session.abandon()
  } catch {
    session.abandon()
  }
}

/** The server forgot the compiled statement, or a table changed under it: nothing of it has run. */
export function isStale(thrown: unknown): boolean {
  if (!isServerFault(thrown)) return false
  return thrown.code === '26000' || (thrown.code === '0A000' && thrown.routine === 'RevalidateCachedQuery')
}

/** Runs one of our own prepared statements as part of an exchange. */
export function runOwn(wire: Wire, name: string): void {
  wire.bind({ statement: name })
  wire.execute()
}

function takeRow(
  session: PgSession,
  rows: RowCollector,
  shape: RowShape,
  fields: readonly (string | null)[],
  bytes: number,
): void {
  rows.take(bytes + shape.keyBytes, () => shape.parse(fields))
  if (rows.droppedBytes > drainBytesMax) session.cutOff()
}
