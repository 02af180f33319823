import { WeirError } from '../../../core/error.ts'
import type { Failure } from './protocol.ts'

/** SQLite's primary result codes that have a cure of their own. */
const primary = {
  permission: 3,
  busy: 5,
  locked: 6,
  readOnly: 8,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  tooBig: 18,
  notDatabase: 26,
}

/** Statements of ours that the engine refuses, and what is no error of the engine: none of it mends itself. */
const faultsOfOurs: ReadonlySet<number> = new Set([0, 1, 19, 20, 21, 25])

/** Whether another connection holds what was wanted, so that nothing happened and waiting helps. */
export function isBusy(thrown: unknown): boolean {
  const code = codeOf(thrown) & 0xff
  return code === primary.busy || code === primary.locked
}

/** Whether there was no room: on the disk, or below the file's limit. SQLite notices before anything is durable. */
export function isFull(thrown: unknown): boolean {
  return (codeOf(thrown) & 0xff) === primary.full
}

/** Something thrown, as it crosses threads. SQLite's messages name tables and columns, never values. */
export function toFailure(thrown: unknown): Failure {
  return { code: codeOf(thrown), message: thrown instanceof Error ? thrown.message : String(thrown) }
}

/** SQLite's own code for a file that is no longer where it was opened; in WAL mode it does not look itself. */
const moved = 1032

/** What a write ends with whose file was removed or replaced. */
export function fileMoved(): Error {
  return Object.assign(new Error('the file was removed or replaced'), { errcode: moved })
}

/** What a read ends with that gives more than `bytesMax`: as if SQLite had a limit for all rows together. */
export function tooMuch(bytesMax: number): Error {
  return Object.assign(new Error(`more than ${bytesMax} bytes`), { errcode: primary.tooBig })
}

function codeOf(thrown: unknown): number {
  const code = (thrown as { errcode?: unknown } | null)?.errcode
  return typeof code === 'number' ? code : 0
}

/** What happened, as operators should see it. `place` names the store: with its path at the start, without it later. */
export function explainFailure({ code, message }: Failure, place: string): WeirError {
  const cause = new Error(message)
  if (faultsOfOurs.has(code & 0xff)) {
    const hint = 'Please report it, with what the log says.'
    return new WeirError('INTERNAL', `${place} was used wrongly by Weir itself.`, { hint, cause })
  }
  if (code === moved) {
    const hint = 'Put the file back where it was, or start Weir again: it then makes an empty one.'
    return unusable(`The file of the store was removed or replaced while Weir ran.`, hint, cause)
  }
  switch (code & 0xff) {
    case primary.busy:
    case primary.locked:
      return unavailable(
        `${place} is locked by another process.`,
        'Stop the program that holds it (a backup, a database browser); Weir goes on by itself then.',
        cause,
      )
    case primary.full:
      return unavailable(
        `${place} has no room: the disk is full, or the file as large as Weir lets it grow.`,
        'Free some space; Weir goes on by itself then.',
        cause,
      )
    case primary.tooBig:
      return new WeirError(
        'STORE_VALUE_TOO_LARGE',
        `${place} would answer with more than a read may give: ${message}.`,
        {
          hint: 'Ask for less at once, or remove what nobody needs.',
          cause,
        },
      )
    case primary.permission:
    case primary.readOnly:
    case primary.cantOpen:
      return unusable(
        `${place} may not be opened for writing: ${message}.`,
        'Let the user that Weir runs as write the file and its folder.',
        cause,
      )
    case primary.corrupt:
    case primary.notDatabase:
      return unusable(
        `${place} is damaged or no SQLite database: ${message}.`,
        'Put back a backup, or move the file away: Weir then makes an empty one.',
        cause,
      )
    default:
      return unavailable(
        `${place} failed: ${message}.`,
        'Look at the disk that holds it, and at the log.',
        cause,
      )
  }
}

function unavailable(message: string, hint: string, cause: Error): WeirError {
  return new WeirError('STORE_UNAVAILABLE', message, { hint, cause })
}

function unusable(message: string, hint: string, cause: Error): WeirError {
  return new WeirError('STORE_UNUSABLE', message, { hint, cause })
}
