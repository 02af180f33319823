import type {
  Database,
  Patience,
  RowReader,
  RowSet,
  SchemaDescription,
  Statement,
  TransactionResult,
  TransactOptions,
} from '../dialect.ts'
import { elapsedMs } from '../elapsed-ms.ts'
import { HeldSessions, lendSession } from '../server/lend-session.ts'
import { runBounded } from '../server/run-bounded.ts'
import { readOnlyDatabase } from '../server/server-error.ts'
import type { ServerParts } from '../server/server-parts.ts'
import type { SessionPool } from '../server/session-pool.ts'
import { commit } from './commit.ts'
import { describeSchema } from './describe-schema.ts'
import { toStatementError } from './pg-failure.ts'
import { openRowReader } from './pg-row-reader.ts'
import { type PgSession, SessionBroken } from './pg-session.ts'
import { isStale, leaveTransaction, runRead } from './run-read.ts'
import { resetSession, runStatements, type TransactionContext } from './run-transaction.ts'
import { ControlProbe } from './transaction-control.ts'

/** How long beyond its own timeout a server gets to say that it stopped a statement. */
const graceMs = 500

/** One PostgreSQL database: reads and writes go over sessions of their own. */
export class PostgresDatabase implements Database {
  readonly #parts: ServerParts<PgSession>
  readonly #probe = new ControlProbe()
  readonly #held: HeldSessions<PgSession>

  constructor(parts: ServerParts<PgSession>) {
    this.#parts = parts
    this.#held = new HeldSessions(parts.alias, parts.openReadersMax)
  }

  async read(statement: Statement, bytesMax: number, patience: Patience): Promise<RowSet> {
    const limits = { rowsMax: this.#parts.rowsMax, bytesMax }
    const startedMs = performance.now()
    const rows = await this.#useReader(patience, statement.query, (session) =>
      runRead(session, statement, limits),
    )
    return { ...rows, execution_time_ms: elapsedMs(startedMs) }
  }

  async openReader(statement: Statement, patience: Patience): Promise<RowReader> {
    const { alias, readers: pool, rowsMax, statementTimeoutMs } = this.#parts
    const giveBack = (session: PgSession) => pool.release(session)
    const held = await this.#held.hold({ pool, patience, giveBack })
    return openRowReader({ ...held, statement, alias, rowsMax, statementTimeoutMs }, patience)
  }

  async transact(
    statements: readonly Statement[],
    limits: TransactOptions,
    patience: Patience,
  ): Promise<TransactionResult> {
    const { alias, writers } = this.#parts
    if (writers === undefined) throw readOnlyDatabase(alias)
    const startedMs = performance.now()
    const work = (session: PgSession) => this.#transactOn(session, statements, limits, patience)
    const results = await this.#use(writers, patience, '', work, resetSession)
    return { results, execution_time_ms: elapsedMs(startedMs) }
  }

  describe(tableName: string | undefined, patience: Patience): Promise<SchemaDescription> {
    return this.#useReader(patience, '', (session) => describeSchema(session, this.#parts.alias, tableName))
  }

  async check(patience: Patience): Promise<void> {
    const limits = { rowsMax: 1, bytesMax: 100 }
    await this.#useReader(patience, '', (session) => runRead(session, { query: 'SELECT 1' }, limits))
  }

  async close(): Promise<void> {
    await Promise.all([this.#parts.readers.close(), this.#parts.writers?.close()])
  }

  #useReader<T>(patience: Patience, query: string, work: (session: PgSession) => Promise<T>): Promise<T> {
    const { alias, readers, statementTimeoutMs } = this.#parts
    return this.#use(readers, patience, query, (session) => {
      const abandon = () => session.abandon()
      return runBounded({ alias, patience, limitMs: statementTimeoutMs + graceMs, abandon }, work(session))
    })
  }

  /** `cleanUp` is waited for by nobody; the session is lent again when it is done. */
  #use<T>(
    pool: SessionPool<PgSession>,
    patience: Patience,
    query: string,
    work: (session: PgSession) => Promise<T>,
    cleanUp?: (session: PgSession) => Promise<void>,
  ): Promise<T> {
    const { alias } = this.#parts
    const giveBack = (session: PgSession) => {
      if (cleanUp === undefined) pool.release(session)
      else void cleanUp(session).finally(() => pool.release(session))
    }
    const wasDead = (thrown: unknown) => thrown instanceof SessionBroken && !thrown.answered
    const explain = (thrown: unknown, startedMs: number) =>
      toStatementError(thrown, { alias, query, startedMs })
    return lendSession({ pool, patience, giveBack, wasDead, explain }, work)
  }

  async #transactOn(
    session: PgSession,
    statements: readonly Statement[],
    { bytesMax, isolation }: TransactOptions,
    patience: Patience,
  ): Promise<TransactionResult['results']> {
    const { alias, rowsMax, statementTimeoutMs } = this.#parts
    const context = { alias, limits: { rowsMax, bytesMax }, isolation }
    const abandon = () => session.abandon()
    const run = async () => {
      await this.#probe.refuse(session, statements)
      return await runStatements(session, statements, context).catch((thrown) => {
        if (!isStale(thrown)) throw thrown
        return runAfresh(session, statements, context)
      })
    }
    const results = await runBounded({ alias, patience, limitMs: statementTimeoutMs, abandon }, run())
    await commit(session, alias)
    return results
  }
}

/** A table changed under a compiled statement: nothing of it has run, and what stands before it is undone. */
async function runAfresh(session: PgSession, statements: readonly Statement[], context: TransactionContext) {
  await leaveTransaction(session)
  for (const { query } of statements) await session.statements.forget(query)
  return await runStatements(session, statements, context)
}
