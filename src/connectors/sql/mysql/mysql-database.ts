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
import { runBounded } from '../server/run-bounded.ts'
import { outcomeUnknown, overloaded, readOnlyDatabase } from '../server/server-error.ts'
import type { SessionPool } from '../server/session-pool.ts'
import { describeMySqlSchema } from './describe-mysql-schema.ts'
import { toMySqlError } from './mysql-failure.ts'
import { openMySqlRowReader } from './mysql-row-reader.ts'
import { type MySqlSession, MySqlSessionBroken } from './mysql-session.ts'
import { runMySqlRead } from './run-mysql-read.ts'
import { commitMySql, runMySqlStatements } from './run-mysql-transaction.ts'

/** What a MariaDB or MySQL database is built from. */
export interface MySqlParts {
  readonly alias: string
  readonly rowsMax: number
  readonly statementTimeoutMs: number
  readonly readers: SessionPool<MySqlSession>
  /** How many readers may stay open between calls: each holds a session. */
  readonly openReadersMax: number
  /** Absent where writing is not allowed. */
  readonly writers: SessionPool<MySqlSession> | undefined
  /** Makes a session that was used as good as new. */
  renew(session: MySqlSession, mode: 'read' | 'write'): Promise<void>
}

/** How long beyond its own timeout a server gets to say that it stopped a statement. */
const graceMs = 500

/** One MariaDB or MySQL database: reads and writes go over sessions of their own, which forget each call. */
export class MySqlDatabase implements Database {
  readonly #parts: MySqlParts
  #openReaders = 0

  constructor(parts: MySqlParts) {
    this.#parts = parts
  }

  async read(statement: Statement, bytesMax: number, patience: Patience): Promise<RowSet> {
    const startedMs = performance.now()
    const limits = { rowsMax: this.#parts.rowsMax, bytesMax }
    const rows = await this.#useReader(patience, (session) => runMySqlRead(session, statement, limits))
    return { ...rows, execution_time_ms: elapsedMs(startedMs) }
  }

  async openReader(statement: Statement, patience: Patience): Promise<RowReader> {
    const { alias, readers, openReadersMax, rowsMax, statementTimeoutMs } = this.#parts
    if (this.#openReaders >= openReadersMax) throw overloaded(alias, openReadersMax, 'raise `pool.max`')
    this.#openReaders++
    let session: MySqlSession | undefined
    const release = () => {
      this.#openReaders--
      if (session !== undefined) this.#giveBack(readers, session, 'read')
    }
    try {
      session = await readers.acquire(patience)
    } catch (thrown) {
      release()
      throw thrown
    }
    return openMySqlRowReader({ session, statement, alias, rowsMax, statementTimeoutMs, release }, patience)
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

  /** Lends a session. One that turns out to be dead before anything came back over it is replaced once. */
  async #use<T>(
    pool: SessionPool<MySqlSession>,
    mode: 'read' | 'write',
    patience: Patience,
    work: (session: MySqlSession) => Promise<T>,
  ): Promise<T> {
    const startedMs = performance.now()
    for (let attempt = 1; ; attempt++) {
      const session = await pool.acquire(patience)
      try {
        return await work(session)
      } catch (thrown) {
        if (attempt === 1 && thrown instanceof MySqlSessionBroken && !thrown.answered) pool.distrustIdle()
        else throw toMySqlError(thrown, { alias: this.#parts.alias, startedMs, mode })
      } finally {
        this.#giveBack(pool, session, mode)
      }
    }
  }

  /** Nobody waits for the cleaning; the session is lent again when it is done. */
  #giveBack(pool: SessionPool<MySqlSession>, session: MySqlSession, mode: 'read' | 'write'): void {
    void this.#parts.renew(session, mode).finally(() => pool.release(session))
  }
}

function elapsedMs(startedMs: number): number {
  return Math.round((performance.now() - startedMs) * 1000) / 1000
}
