import { WeirError } from '../../../core/error.ts'

const retryHint = 'Try again in a moment.'

/** The bounded queue of a database is full. `cure` is what an operator can do, in the imperative. */
export function overloaded(alias: string, waiting: number, cure: string): WeirError {
  return new WeirError('OVERLOADED', `${waiting} calls already wait for database ${alias}.`, {
    hint: `${retryHint.slice(0, -1)}; an operator can ${cure}.`,
    data: { sent: false },
  })
}

/** The database was closed by Weir. */
export function closed(alias: string): WeirError {
  return unavailable(alias, 'is closed', { sent: false })
}

/** A database that cannot be reached, or broke off. `what` goes on after its name. */
export function unavailable(
  alias: string,
  what: string,
  { sent, hint = retryHint, cause }: { sent?: boolean; hint?: string; cause?: unknown } = {},
): WeirError {
  return new WeirError('DATABASE_UNAVAILABLE', `Database ${alias} ${what}.`, {
    hint,
    cause,
    ...(sent === undefined ? {} : { data: { sent } }),
  })
}

/** The time of a call or a statement is over. `what` goes on after the database's name. */
export function tooLate(alias: string, waitedMs: number, what: string): WeirError {
  return new WeirError('DEADLINE_EXCEEDED', `Database ${alias} ${what} within ${waitedMs} ms.`, {
    hint: 'Ask for less, or use an index; an operator can raise `statementTimeoutMs`.',
  })
}

/** A statement ran out of its time and was stopped by the server or by Weir. */
export function statementTooLate(alias: string, waitedMs: number): WeirError {
  const answer = tooLate(alias, waitedMs, 'did not answer')
  return new WeirError(answer.code, `${answer.message} The statement was stopped and changed nothing.`, {
    hint: answer.hint!,
  })
}

/** The server did not tell whether a commit that was sent has happened. */
export function outcomeUnknown(alias: string, cause: unknown): WeirError {
  return new WeirError(
    'OUTCOME_UNKNOWN',
    `Database ${alias} stopped answering during the commit, which may or may not have happened.`,
    { hint: 'Read the data before you send the transaction again.', cause },
  )
}

/** Writing is not allowed by the config. */
export function readOnlyDatabase(alias: string): WeirError {
  return new WeirError('SQL_READ_ONLY', `Database ${alias} is open for reading only.`, {
    hint: 'Only an operator can allow writing, with `write: true` at this database.',
  })
}

/** The same error of a transaction that was undone. */
export function saysUnchanged(error: WeirError, cause: unknown = error): WeirError {
  return new WeirError(error.code, `${error.message} Nothing was changed.`, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.data === undefined ? {} : { data: error.data }),
    cause,
  })
}

/** The same error, saying which statement of a transaction it befell. */
export function nameStatement(error: WeirError, index: number, total: number): WeirError {
  const message = `Statement ${index + 1} of ${total}: ${error.message} Nothing was changed.`
  return new WeirError(error.code, message, {
    data: { ...error.data, statement: index + 1 },
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
  })
}
