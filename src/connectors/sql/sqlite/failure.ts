import { WeirError } from '../../../core/error.ts'
import type { Guard } from './guard.ts'
import type { WorkerFailure } from './worker-protocol.ts'

/** SQLite's primary result codes, those that need more than its own words. */
const primary = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  notDatabase: 26,
}

/** Extended codes: a reader met a commit that its writer did not finish, and may not repair it itself. */
const unfinishedCommits = new Set([264, 520, 776])

/** Extended code: SQLite needs a file beside the database, for WAL mode even to read, and may not make one. */
const folderReadOnly = 1544

/** SQLite's extended result code of something thrown; 0 for anything else. */
function sqliteCodeOf(thrown: unknown): number {
  const code = (thrown as { errcode?: unknown } | null)?.errcode
  return typeof code === 'number' ? code : 0
}

/** Whether only a process that may write can make the database readable again. */
export function isUnfinishedCommit(thrown: unknown): boolean {
  return unfinishedCommits.has(sqliteCodeOf(thrown))
}

/** What the engine threw while it ran a statement, as the caller should see it. */
export function toStatementError(thrown: unknown, guard: Guard, alias: string): WeirError {
  if (thrown instanceof WeirError) return thrown
  const said = thrown instanceof Error ? thrown.message : String(thrown)
  const code = sqliteCodeOf(thrown)
  if (isUnfinishedCommit(thrown)) return unfinished(alias)
  if (code === folderReadOnly) return unwritableFolder(alias)
  if (code !== 0 && guard.denial !== undefined) return guard.denial
  switch (code & 0xff) {
    case primary.busy:
    case primary.locked:
      return new WeirError('SQL_BUSY', `Database ${alias} stayed locked by another writer.`, {
        hint: 'Try again; if it lasts, look for a program that holds a transaction open.',
      })
    case primary.readOnly:
      return new WeirError('SQL_READ_ONLY', `Database ${alias} refused to write: ${said}.`, {
        hint: 'Read only, or ask the operator whether the file may be written.',
      })
    case primary.ioError:
    case primary.corrupt:
    case primary.full:
    case primary.cantOpen:
    case primary.notDatabase:
      return new WeirError('DATABASE_UNAVAILABLE', `Database ${alias} could not be read: ${said}.`, {
        hint: 'Ask the operator to look at the database file and its disk.',
      })
    default:
      if (code === 0) throw thrown
      return new WeirError('SQL_ERROR', `The database refused the statement: ${said}.`, {
        hint: 'Correct the statement; get_schema shows the tables and their columns.',
      })
  }
}

/** Why a file could not be opened. Names the alias, never the path: where files lie is the operator's business. */
export function toOpenError(thrown: unknown, alias: string, fileExists: boolean): WeirError {
  if (thrown instanceof WeirError) return thrown
  if (isUnfinishedCommit(thrown)) return unfinished(alias)
  const said = fileExists ? String((thrown as Error).message) : 'its file does not exist'
  return new WeirError('DATABASE_UNAVAILABLE', `Database ${alias} could not be opened: ${said}.`, {
    hint: 'Ask the operator to check the path in its `url`, and who may read it.',
    cause: thrown,
  })
}

/** What a process answers that holds no open result. */
export function lostReader(alias: string): WeirError {
  return new WeirError('DATABASE_UNAVAILABLE', `Database ${alias} has lost the result that was being read.`, {
    hint: 'Run the query again.',
  })
}

function unfinished(alias: string): WeirError {
  return new WeirError(
    'DATABASE_UNAVAILABLE',
    `Database ${alias} holds a commit that its writer did not finish.`,
    {
      hint: 'Ask the operator to open it once with a program that may write, which completes or undoes the commit.',
    },
  )
}

function unwritableFolder(alias: string): WeirError {
  return new WeirError(
    'DATABASE_UNAVAILABLE',
    `Database ${alias} lies in a folder where Weir may not write, and SQLite needs a file beside it.`,
    {
      hint: 'Ask the operator to let Weir write in the folder, or to take the database out of WAL mode (journal_mode=delete).',
    },
  )
}

/** An error as one line of the protocol. What is no WeirError is a fault of ours, and says so to the log only. */
export function renderFailure(thrown: unknown): WorkerFailure {
  if (!(thrown instanceof WeirError)) {
    return { code: 'INTERNAL', message: thrown instanceof Error ? thrown.message : String(thrown) }
  }
  const { code, message, hint, data } = thrown
  return { code, message, hint, data }
}
