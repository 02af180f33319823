import type { DatabaseSync } from 'node:sqlite'
import { WeirError } from '../../../core/error.ts'
import { migrate, migrationTable, needsMigration } from '../../migrations/migrate.ts'
import { isBusy } from './failure.ts'

const patienceMs = 3_000
const pauseMs = 20
const walBytesMax = 16 * 1024 * 1024

/**
 * Durable at every commit, bounded, and in the newest form. Another process may be doing the same at this moment:
 * SQLite's own waiting does not cover the change to WAL, so this waits itself. A database that is not ours is refused before anything in it changes.
 */
export async function prepareDatabase(database: DatabaseSync, fileBytesMax: number): Promise<void> {
  const givesUpAt = performance.now() + patienceMs
  for (;;) {
    try {
      return await prepareOnce(database, fileBytesMax)
    } catch (thrown) {
      if (!isBusy(thrown) || performance.now() > givesUpAt) throw thrown
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs)
    }
  }
}

async function prepareOnce(database: DatabaseSync, fileBytesMax: number): Promise<void> {
  const isOutdated = needsMigration(readExecuted(database))
  const { page_size: pageBytes } = database.prepare('pragma page_size').get() as { page_size: number }
  database.exec(`
    pragma journal_mode = wal;
    pragma synchronous = full;
    pragma fullfsync = on;
    pragma trusted_schema = off;
    pragma journal_size_limit = ${walBytesMax};
    pragma max_page_count = ${Math.floor(fileBytesMax / pageBytes)};
  `)
  if (!isOutdated) return
  database.exec('begin immediate')
  try {
    // Asked again: who waited for the lock may find that the work is done.
    if (needsMigration(readExecuted(database))) await migrate(await openKysely(database))
    database.exec('commit')
  } catch (thrown) {
    if (database.isTransaction) database.exec('rollback')
    throw thrown
  }
}

/** The migrations that the database had; none where it is new. */
function readExecuted(database: DatabaseSync): readonly string[] {
  const tables = database.prepare(`select name from sqlite_schema where type = 'table'`).all()
  if (tables.length === 0) return []
  if (!tables.some(({ name }) => name === migrationTable)) {
    const named = tables.slice(0, 3).map(({ name }) => String(name).slice(0, 64))
    const message = `The store’s file is another program’s database: it has the table ${named.join(', ')}.`
    throw new WeirError('STORE_UNUSABLE', message, {
      hint: 'Set `store.url` to a file of Weir’s own; this one was not changed.',
    })
  }
  const rows = database.prepare(`select name from ${migrationTable} order by name`).all()
  return rows.map(({ name }) => String(name))
}

/** The database as kysely sees it. Loaded only where there is something to migrate. */
async function openKysely(database: DatabaseSync) {
  const { Kysely, SqliteDialect } = await import('kysely')
  const prepare = (sql: string) => {
    const statement = database.prepare(sql)
    return {
      reader: statement.columns().length > 0,
      all: (parameters: readonly unknown[]) => statement.all(...(parameters as string[])),
      run: (parameters: readonly unknown[]) => statement.run(...(parameters as string[])),
      iterate: (parameters: readonly unknown[]) => statement.iterate(...(parameters as string[])),
    }
  }
  return new Kysely<unknown>({ dialect: new SqliteDialect({ database: { prepare, close() {} } }) })
}
