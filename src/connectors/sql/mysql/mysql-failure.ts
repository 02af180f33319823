import { WeirError } from '../../../core/error.ts'
import { statementTooLate, unavailable } from '../server/server-error.ts'
import { MySqlSessionBroken } from './mysql-session.ts'

/** The server's numbers for what its own words do not say to a caller. */
const codes = {
  empty: 1065,
  accessDenied: [1044, 1045, 1049, 1698],
  conflicts: [1205, 1213, 1613, 1614],
  interrupted: 1317,
  implicitCommit: 1399,
  readOnly: 1792,
  timeouts: [1969, 3024],
  exhausted: [1040, 1041, 1037, 1038, 1114, 1203, 1021],
}

/** What was known of a statement when it failed. */
export interface MySqlFailureContext {
  readonly alias: string
  readonly startedMs: number
  readonly mode: 'read' | 'write'
}

/** What a statement ran into, as the caller should see it; a fault of ours is passed on as it is. */
export function toMySqlError(thrown: unknown, { alias, startedMs, mode }: MySqlFailureContext): unknown {
  if (thrown instanceof WeirError) return thrown
  if (thrown instanceof MySqlSessionBroken) {
    return unavailable(alias, 'broke off, and the statement was not completed', { cause: thrown.cause })
  }
  const { errno, sqlMessage } = thrown as { errno?: number; sqlMessage?: string }
  if (errno === undefined || sqlMessage === undefined) return thrown
  if (codes.conflicts.includes(errno)) return conflict(sqlMessage)
  if (codes.timeouts.includes(errno))
    return statementTooLate(alias, Math.round(performance.now() - startedMs))
  if (codes.exhausted.includes(errno)) return unavailable(alias, `could not do its work: ${sqlMessage}`)
  switch (errno) {
    case codes.readOnly:
      return readOnly(alias, sqlMessage)
    case codes.implicitCommit:
      return mode === 'read'
        ? readOnly(alias, 'the statement would end the transaction it runs in')
        : implicitCommit()
    case codes.interrupted:
      return unavailable(alias, 'was told by somebody to stop the statement')
    case codes.empty:
      return new WeirError('SQL_NOT_SINGLE', 'The query holds no statement.', {
        hint: 'Send one SQL statement.',
      })
  }
  return new WeirError('SQL_ERROR', `The database refused the statement: ${sqlMessage}.`, {
    hint: 'Correct the statement, and send one at a time; get_schema shows the tables and their columns.',
    data: { errno },
  })
}

function readOnly(alias: string, why: string): WeirError {
  return new WeirError('SQL_READ_ONLY', `Database ${alias} refused to write: ${why}.`, {
    hint: 'Read only here; execute_transaction changes data where the operator allows it.',
  })
}

function conflict(message: string): WeirError {
  return new WeirError('SQL_CONFLICT', `The transaction met another one: ${message}.`, {
    hint: 'Send the same transaction again.',
  })
}

/** MariaDB and MySQL commit what stands before a statement that defines something; none of it could be undone. */
function implicitCommit(): WeirError {
  return new WeirError(
    'SQL_FORBIDDEN',
    'The statement would commit what stands before it, so it cannot be undone.',
    {
      hint: 'Leave out COMMIT and ROLLBACK, and send a statement such as CREATE, ALTER or DROP as the only one of its call.',
    },
  )
}

/** Why no session could be opened. Says the server's own words, never the address or the password. */
export function toMySqlOpenError(thrown: unknown, alias: string): WeirError {
  if (thrown instanceof WeirError) return thrown
  const { errno, sqlMessage, code, message } = thrown as NodeJS.ErrnoException & { sqlMessage?: string }
  if (sqlMessage !== undefined) {
    const hint = codes.accessDenied.includes(errno ?? 0) ? loginHint : undefined
    return unavailable(alias, `refused the login: ${sqlMessage}`, {
      sent: false,
      cause: thrown,
      ...(hint && { hint }),
    })
  }
  const hint = tlsHint(code ?? message)
  return unavailable(alias, `could not be reached: ${code ?? message}`, {
    sent: false,
    cause: thrown,
    ...(hint && { hint }),
  })
}

const loginHint = 'Ask the operator to check the user, password and database in its `url`.'

function tlsHint(said: string): string | undefined {
  if (said.includes('NO_SSL')) {
    return 'Ask the operator to switch TLS on at the server or, where the network between is trusted, off with `tls: false`.'
  }
  if (said.includes('ALTNAME')) {
    return 'Ask the operator to set `tls.serverName` to the name in the server’s certificate.'
  }
  if (/CERT|SIGNATURE|SELF_SIGNED|HANDSHAKE_SSL/.test(said)) {
    return 'Ask the operator to set `tls.ca` to the authority that signed the server’s certificate.'
  }
  return undefined
}
