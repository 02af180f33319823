import { resolve } from 'node:path'
import { WeirError } from '../../../core/error.ts'
import type {
  Database,
  DatabaseConfig,
  Dialect,
  Patience,
  RowReader,
  RowSet,
  SchemaDescription,
  Statement,
  TransactionResult,
  TransactOptions,
} from '../dialect.ts'
import { type PoolOptions, WorkerPool } from './worker-pool.ts'

const busyTimeoutMsMax = 5000

/** SQLite files, each served by a few processes of its own. */
export const sqliteDialect: Dialect = {
  title: 'SQLite',
  system: 'sqlite',
  schemes: ['sqlite'],
  options: ['readers'],
  hasArrays: false,
  problemOf(url) {
    const path = pathOf(url)
    if (path === '') return 'name a file, as in sqlite:./data/app.db'
    if (path === ':memory:') return 'a database in memory would be empty in every process; name a file'
    if (path.startsWith('//')) return 'a path after // must be absolute: sqlite:///path, or sqlite:./path'
    if (/[?#\0]/.test(path)) return 'a SQLite URL takes no options, and its path no ?, # or NUL'
    return undefined
  },
  open: (alias, config, baseDir) => new SqliteDatabase(alias, config, resolve(baseDir, pathOf(config.url))),
}

/** `sqlite:///path` has an empty host, which leaves the absolute `/path`. */
function pathOf(url: string): string {
  return url.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '')
}

class SqliteDatabase implements Database {
  readonly #alias: string
  readonly #reading: Pick<PoolOptions, 'statementTimeoutMs' | 'worker'>
  readonly #readers: WorkerPool
  readonly #openReaders = new Set<WorkerPool>()
  readonly #writer: WorkerPool | undefined
  #isClosed = false

  constructor(alias: string, config: DatabaseConfig, path: string) {
    const { write: writable, rowsMax, statementTimeoutMs, readers } = config
    const busyTimeoutMs = Math.min(busyTimeoutMsMax, Math.ceil(statementTimeoutMs / 2))
    const worker = { path, alias, writable, busyTimeoutMs, rowsMax }
    this.#alias = alias
    this.#reading = { statementTimeoutMs, worker: { ...worker, mode: 'read' } }
    this.#readers = new WorkerPool({ ...this.#reading, processes: readers, replayable: true })
    if (writable) {
      this.#writer = new WorkerPool({
        processes: 1,
        replayable: false,
        statementTimeoutMs,
        worker: { ...worker, mode: 'write' },
      })
    }
  }

  read(statement: Statement, bytesMax: number, patience: Patience): Promise<RowSet> {
    return this.#readers.run({ op: 'read', statement, bytesMax }, patience) as Promise<RowSet>
  }

  /** A process of its own for each: its iterator holds the result, and a slow reader of pages holds nobody up. */
  async openReader(statement: Statement, patience: Patience): Promise<RowReader> {
    const pool = new WorkerPool({ ...this.#reading, processes: 1, replayable: false })
    if (this.#isClosed) await pool.close()
    this.#openReaders.add(pool)
    const close = async () => {
      this.#openReaders.delete(pool)
      await pool.close()
    }
    try {
      await pool.run({ op: 'open', statement }, patience)
    } catch (thrown) {
      await close()
      throw thrown
    }
    return {
      next: (bytesMax, waiting) => pool.run({ op: 'next', bytesMax }, waiting) as Promise<RowSet>,
      close,
    }
  }

  async transact(
    statements: readonly Statement[],
    { bytesMax }: TransactOptions,
    patience: Patience,
  ): Promise<TransactionResult> {
    if (this.#writer === undefined) {
      throw new WeirError('SQL_READ_ONLY', `Database ${this.#alias} is open for reading only.`, {
        hint: 'Only an operator can allow writing, with `write: true` at this database.',
      })
    }
    return (await this.#writer.run({ op: 'transact', statements, bytesMax }, patience)) as TransactionResult
  }

  describe(tableName: string | undefined, patience: Patience): Promise<SchemaDescription> {
    return this.#readers.run({ op: 'describe', tableName }, patience) as Promise<SchemaDescription>
  }

  async check(patience: Patience): Promise<void> {
    await this.#readers.run({ op: 'check' }, patience)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const pools = [this.#readers, this.#writer, ...this.#openReaders]
    await Promise.all(pools.map((pool) => pool?.close()))
  }
}
