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
import { outcomeUnknown, readOnlyDatabase } from '../server/server-error.ts'
import type { ServerParts } from '../server/server-parts.ts'
import type { SessionPool } from '../server/session-pool.ts'
import { describeMySqlSchema } from './describe-mysql-schema.ts'
import { toMySqlError } from './mysql-failure.ts'
import { openMySqlRowReader } from './mysql-row-reader.ts'
import { type MySqlSession, MySqlSessionBroken } from './mysql-session.ts'
import { runMySqlRead } from './run-mysql-read.ts'
import { commitMySql, runMySqlStatements } from './run-mysql-transaction.ts'

/** What a MariaDB or MySQL database is built from. */
export interface MySqlParts extends ServerParts<MySqlSession> {
  /** Makes a session that was used as good as new. */
  renew(session: MySqlSession, mode: 'read' | 'write'): Promise<void>
}

/** How long beyond its own timeout a server gets to say that it stopped a statement. */
const graceMs = 500

/** One MariaDB or MySQL database: reads and writes go over sessions of their own, which forget each call. */
export class MySqlDatabase implements Database {
  readonly #parts: MySqlParts
  readonly #held: HeldSessions<MySqlSession>

  constructor(parts: MySqlParts) {
    this.#parts = parts
    this.#held = new HeldSessions(parts.alias, parts.openReadersMax)
  }

  async read(statement: Statement, bytesMax: number, patience: Patience): Promise<RowSet> {
    const startedMs = performance.now()
    const limits = { rowsMax: this.#parts.rowsMax, bytesMax }
    const rows = await this.#useReader(patience, (session) => runMySqlRead(session, statement, limits))
    return { ...rows, execution_time_ms: elapsedMs(startedMs) }
  }

  async openReader(statement: Statement, patience: Patience): Promise<RowReader> {
    const { alias, readers: pool, rowsMax, statementTimeoutMs } = this.#parts
    const giveBack = (session: MySqlSession) => this.#giveBack(pool, session, 'read')
    const held = await this.#held.hold({ pool, patience, giveBack })
    return openMySqlRowReader({ ...held, statement, alias, rowsMax, statementTimeoutMs }, patience)
  }

  async transact(
    statements: readonly Statement[],
    { bytesMax, isolation }: TransactOptions,
    patience: Patience,
  ): Promise<TransactionResult> {
    const { alias, writers, rowsMax, statementTimeoutMs } = this.#parts
    if (writers === undefined) throw readOnlyDatabase(alias)
    const startedMs = performance.now()
    const context = { alias, limits: { rowsMax, bytesMax }, isolation, isAlone: false }
    const results = await this.#use(writers, 'write', patience, async (session) => {
      const abandon = () => session.abandon()
      try {
        const work = runMySqlStatements(session, statements, context)
        const results = await runBounded({ alias, patience, limitMs: statementTimeoutMs, abandon }, work)
        if (!context.isAlone) await commitMySql(session, alias)
        return results
      } catch (thrown) {
        // A definition that was stopped may have come to its end before it heard of that.
        throw context.isAlone && !session.isUsable ? outcomeUnknown(alias, thrown) : thrown
      }
    })
    return { results, execution_time_ms: elapsedMs(startedMs) }
  }

  describe(tableName: string | undefined, patience: Patience): Promise<SchemaDescription> {
    return this.#useReader(patience, (session) => describeMySqlSchema(session, this.#parts.alias, tableName))
  }

  async check(patience: Patience): Promise<void> {
    const limits = { rowsMax: 1, bytesMax: 100 }
    await this.#useReader(patience, (session) => runMySqlRead(session, { query: 'SELECT 1' }, limits))
  }

  async close(): Promise<void> {
    await Promise.all([this.#parts.readers.close(), this.#parts.writers?.close()])
  }

  #useReader<T>(patience: Patience, work: (session: MySqlSession) => Promise<T>): Promise<T> {
    const { alias, readers, statementTimeoutMs } = this.#parts
    return this.#use(readers, 'read', patience, (session) => {
      const abandon = () => session.abandon()
      return runBounded({ alias, patience, limitMs: statementTimeoutMs + graceMs, abandon }, work(session))
    })
  }

  #use<T>(
    pool: SessionPool<MySqlSession>,
    mode: 'read' | 'write',
    patience: Patience,
    work: (session: MySqlSession) => Promise<T>,
  ): Promise<T> {
    const { alias } = this.#parts
    const giveBack = (session: MySqlSession) => this.#giveBack(pool, session, mode)
    const wasDead = (thrown: unknown) => thrown instanceof MySqlSessionBroken && !thrown.answered
    const explain = (thrown: unknown, startedMs: number) => toMySqlError(thrown, { alias, startedMs, mode })
    return lendSession({ pool, patience, giveBack, wasDead, explain }, work)
  }

  /** Nobody waits for the cleaning; the session is lent again when it is done. */
  #giveBack(pool: SessionPool<MySqlSession>, session: MySqlSession, mode: 'read' | 'write'): void {
    void this.#parts.renew(session, mode).finally(() => pool.release(session))
  }
}
