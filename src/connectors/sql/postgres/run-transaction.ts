import { WeirError } from '../../../core/error.ts'
import type { ChangeCount, IsolationLevel, Statement, TransactionResult } from '../dialect.ts'
import { checkNoNul } from '../server/check-parameters.ts'
import { type ResultLimits, RowCollector } from '../server/row-collector.ts'
import { nameStatement } from '../server/server-error.ts'
import { bindValues } from './bind-values.ts'
import { copyForbidden, toStatementError } from './pg-failure.ts'
import type { PgSession } from './pg-session.ts'
import { isStale } from './run-read.ts'
import { controlForbidden, isControlTag } from './transaction-control.ts'

type Results = TransactionResult['results']

/** What all statements of one transaction share. */
export interface TransactionContext {
  readonly alias: string
  readonly limits: ResultLimits
  /** Undefined: the server's own default. */
  readonly isolation: IsolationLevel | undefined
}

/**
 * Ends a transaction that failed, and undoes what a committed one may have left in its session: a role, settings, temporary tables, cursors, locks,
 * channels it listens to. The last row tells whether it has prepared a statement, which may bear one of our names.
 */
const resetScript = `ROLLBACK; RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; UNLISTEN *; CLOSE ALL; DISCARD TEMP;
  DISCARD SEQUENCES; SELECT pg_catalog.pg_advisory_unlock_all();
  SELECT count(*) FROM pg_catalog.pg_prepared_statements WHERE from_sql`

/** Begins a transaction and runs every statement in it. Where one fails, it is named; the transaction is then open still. */
export async function runStatements(
  session: PgSession,
  statements: readonly Statement[],
  context: TransactionContext,
): Promise<Results> {
  const isolation = context.isolation === undefined ? '' : ` ISOLATION LEVEL ${context.isolation}`
  await session.script(`BEGIN${isolation} READ WRITE`)
  const results: Results[number][] = []
  let { bytesMax } = context.limits
  for (const [index, statement] of statements.entries()) {
    const startedMs = performance.now()
    try {
      const { result, bytes } = await runStatement(session, statement, { ...context.limits, bytesMax })
      bytesMax -= bytes
      results.push(result)
    } catch (thrown) {
      if (isStale(thrown)) throw thrown
      const error = toStatementError(thrown, { alias: context.alias, query: statement.query, startedMs })
      throw error instanceof WeirError ? nameStatement(error, index, statements.length) : error
    }
  }
  return results
}

async function runStatement(session: PgSession, { query, parameters = [] }: Statement, limits: ResultLimits) {
  checkNoNul(query)
  const { name, parameterTypes, shape } =
    session.statements.find(query) ?? (await session.statements.prepare(query))
  const values = bindValues(parameterTypes, parameters)
  const rows = new RowCollector(limits)
  const { tags, status } = await session.exchange(
    (wire) => {
      wire.bind({ statement: name, values })
      wire.execute({ rows: limits.rowsMax + 1 })
    },
    (_step, fields, bytes) => {
      if (shape !== undefined) rows.take(bytes + shape.keyBytes, () => shape.parse(fields))
    },
  )
  const [tag] = tags
  if (status !== 'T' || isControlTag(tag) || tag === '') throw controlForbidden()
  if (tag?.startsWith('COPY') === true) throw copyForbidden()
  if (shape !== undefined) return { result: rows.render(shape.columns), bytes: rows.bytes }
  return { result: countChanges(tag ?? ''), bytes: 0 }
}

/** `INSERT 0 5` and `UPDATE 5` changed five rows, `CREATE TABLE` none (B-04). */
function countChanges(tag: string): ChangeCount {
  const count = /^(?:INSERT|UPDATE|DELETE|MERGE)\b.* (\d+)$/.exec(tag)?.[1]
  return { rowcount: Number(count ?? 0) }
}

/** Makes a session that wrote as good as new, or gives it up. */
export async function resetSession(session: PgSession): Promise<void> {
  if (!session.isUsable) return
  try {
    let prepared: string | null = null
    const { status } = await session.script(resetScript, (_step, [value]) => {
      prepared = value!
    })
    if (status !== 'I' || prepared !== '0') session.abandon()
  } catch {
    session.abandon()
  }
}
