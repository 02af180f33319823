import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { Clock } from '../../../core/clock.ts'
import type { Logger } from '../../../core/logger.ts'
import type { Database, Tables } from '../../database.ts'
import type { Statement, StatementResult, Unit } from './protocol.ts'
import { ThreadKeeper } from './thread-keeper.ts'
import { UnitQueue } from './unit-queue.ts'

/** Where the database is, and what it is opened with. */
export interface SqliteOptions {
  /** Absolute, or `:memory:`. */
  readonly path: string
  readonly fileBytesMax: number
  readonly clock: Clock
  readonly log: Logger
}

/** Opens a SQLite database on a thread of its own, made if it is missing and brought to the newest form. */
export async function openSqlite(options: SqliteOptions): Promise<Database> {
  const queue = new UnitQueue(options.clock)
  if (options.path === ':memory:') return openInMemory(queue, options)
  const keeper = await ThreadKeeper.open({ ...options, queue })
  return createDatabase(queue, () => keeper.close())
}

/** What is kept nowhere waits for no disk, so it needs no thread, which costs 20 MB of memory. */
async function openInMemory(queue: UnitQueue, options: SqliteOptions): Promise<Database> {
  const { Session } = await import('./session.ts')
  const session = await Session.open(options)
  queue.open((units) => {
    // As it would come from the thread: rows that are plain objects.
    const answers = structuredClone(session.run(units))
    // Whoever sends has not yet noted what it sent.
    queueMicrotask(() => queue.answer(answers))
  })
  let closing: Promise<void> | undefined
  return createDatabase(queue, () => {
    closing ??= queue.drain().then(() => session.close())
    return closing
  })
}

/** The database behind a queue. */
export function createDatabase(queue: UnitQueue, close: () => Promise<void>): Database {
  const query = new Kysely<Tables>({
    dialect: {
      createDriver: () => new SqliteDriver(queue),
      createQueryCompiler: () => new SqliteQueryCompiler(),
      createAdapter: () => new SqliteAdapter(),
      createIntrospector: (database) => new SqliteIntrospector(database),
    },
  })
  return {
    query,
    async writeTogether(queries) {
      if (queries.length === 0) return
      await queue.run({ isRead: false, statements: queries.map((each) => toStatement(each.compile())) })
    },
    async call(procedure, parameters) {
      const [{ rows }] = (await queue.run({
        isRead: false,
        statements: [{ procedure, parameters }],
      })) as [StatementResult]
      return rows
    },
    close,
  }
}

/** One connection that everybody shares: order and atomicity are the queue's, so nobody needs it alone. */
class SqliteDriver implements Driver {
  readonly #connection: DatabaseConnection

  constructor(queue: UnitQueue) {
    this.#connection = new SqliteConnection(queue)
  }

  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection
  }
  beginTransaction(): Promise<void> {
    return refuseTransaction()
  }
  commitTransaction(): Promise<void> {
    return refuseTransaction()
  }
  rollbackTransaction(): Promise<void> {
    return refuseTransaction()
  }
  async releaseConnection(): Promise<void> {}
  async destroy(): Promise<void> {}
}

class SqliteConnection implements DatabaseConnection {
  readonly #queue: UnitQueue

  constructor(queue: UnitQueue) {
    this.#queue = queue
  }

  async executeQuery<R>(compiled: CompiledQuery): Promise<QueryResult<R>> {
    const unit: Unit = {
      isRead: compiled.query.kind === 'SelectQueryNode',
      statements: [toStatement(compiled)],
    }
    const [{ rows, changes }] = (await this.#queue.run(unit)) as [StatementResult]
    return { rows: rows as R[], numAffectedRows: BigInt(changes) }
  }

  // biome-ignore lint/correctness/useYield: the tables are small; nothing streams.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('the store does not stream')
  }
}

function toStatement({ sql, parameters }: CompiledQuery): Statement {
  return { sql, parameters: parameters as Statement['parameters'] }
}

/** It would hold up everybody else's commit. */
async function refuseTransaction(): Promise<never> {
  throw new Error('the store has no interactive transactions; use writeTogether')
}
