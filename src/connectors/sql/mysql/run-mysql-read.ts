import { WeirError } from '../../../core/error.ts'
import type { RowSet, Statement } from '../dialect.ts'
import { checkNoNul } from '../server/check-parameters.ts'
import { type ResultLimits, RowCollector } from '../server/row-collector.ts'
import type { Compiled, MySqlSession } from './mysql-session.ts'
import {
  type BoundValue,
  bindMySqlValues,
  createMySqlShape,
  type MySqlShape,
  sizeOfRow,
} from './mysql-values.ts'
import { translatePlaceholders } from './placeholders.ts'

/** Rows beyond the limits that are read and dropped, before the session is given up instead. */
const drainBytesMax = 16 * 1024 * 1024

/** A statement that may run, and its values. */
export interface Ready {
  readonly compiled: Compiled
  readonly values: readonly BoundValue[]
}

/**
 * Runs one statement in a read-only XA transaction (S11): in one the server refuses not only to write but also
 * everything that commits by itself, which a plain read-only transaction lets through. The caller resets the session.
 */
export async function runMySqlRead(
  session: MySqlSession,
  statement: Statement,
  limits: ResultLimits,
): Promise<Omit<RowSet, 'execution_time_ms'>> {
  const { compiled, values } = await beginRead(session, statement)
  const rows = new RowCollector(limits)
  let shape: MySqlShape | undefined
  try {
    await session.execute(compiled, values, {
      fields: (fields) => {
        shape = createMySqlShape(fields)
      },
      row: (row) => {
        rows.take(sizeOfRow(row) + shape!.keyBytes, () => shape!.parse(row))
        if (rows.droppedBytes > drainBytesMax) session.cutOff()
      },
    })
  } catch (thrown) {
    if (rows.droppedBytes <= drainBytesMax) throw thrown
  }
  return rows.render(shape?.columns ?? [])
}

/** Begins the transaction and has the server compile the statement in it. One that gives no rows is refused. */
export async function beginRead(
  session: MySqlSession,
  { query, parameters = [] }: Statement,
): Promise<Ready> {
  await session.run(`XA START '${session.transactionId}'`)
  const ready = await compile(session, query, parameters)
  if (ready.compiled.columnCount > 0) return ready
  throw new WeirError(
    'SQL_READ_ONLY',
    'The statement answers with no rows, so it could only change something.',
    {
      hint: 'Use one that reads, such as SELECT; execute_transaction changes data where the operator allows it.',
    },
  )
}

/** Has the server compile a statement, and puts its values in order. */
export async function compile(
  session: MySqlSession,
  query: string,
  parameters: NonNullable<Statement['parameters']>,
): Promise<Ready> {
  checkNoNul(query)
  const translation = translatePlaceholders(query)
  const compiled = await session.compile(translation.sql)
  return { compiled, values: bindMySqlValues(translation, compiled.parameterCount, parameters) }
}
