import { WeirError } from '../../../core/error.ts'
import { statementTooLate, unavailable } from '../server/server-error.ts'
import { MessageTooLarge, SessionBroken } from './pg-session.ts'
import { isServerFault, type ServerFault } from './wire.ts'

/** What was known of a statement when it failed. */
export interface FailureContext {
  readonly alias: string
  readonly query: string
  readonly startedMs: number
}

/** The transaction lost against another one and may be sent again (B-34). */
const conflicts: ReadonlySet<string> = new Set(['40001', '40P01'])

/** What a statement ran into, as the caller should see it; a fault of ours is passed on as it is. */
export function toStatementError(thrown: unknown, context: FailureContext): unknown {
  if (thrown instanceof SessionBroken) return toBrokenError(thrown, context.alias)
  if (thrown instanceof MessageTooLarge) return tooLarge(thrown)
  return isServerFault(thrown) ? toServerError(thrown, context) : thrown
}

function toServerError(fault: ServerFault, { alias, query, startedMs }: FailureContext): WeirError {
  const { code, message, routine } = fault
  if (conflicts.has(code)) return conflict(message)
  switch (code) {
    case '25006':
      return new WeirError('SQL_READ_ONLY', `Database ${alias} refused to write: ${message}.`, {
        hint: 'Read only here; execute_transaction changes data where the operator allows it.',
      })
    case '57014':
      if (message.startsWith('COPY')) return copyForbidden()
      if (message.includes('user request'))
        return unavailable(alias, 'was told by somebody to stop the statement')
      return statementTooLate(alias, Math.round(performance.now() - startedMs))
    case '55P03':
      return new WeirError('SQL_BUSY', `Database ${alias} stayed locked by another writer.`, {
        hint: 'Try again; if it lasts, look for a program that holds a transaction open.',
      })
    case '42601':
      if (routine === 'exec_parse_message') return notSingle()
      break
    case '53100':
    case '53200':
    case '53300':
    case '57P03':
    case '58030':
      return unavailable(alias, `could not do its work: ${message}`)
  }
  return refused(fault, query)
}

function refused({ code, message, detail, hint }: ServerFault, query: string): WeirError {
  const more = detail === undefined ? '' : ` (${detail.replace(/\.$/, '')})`
  return new WeirError('SQL_ERROR', `The database refused the statement: ${message}${more}.`, {
    hint:
      hintFor(code, query) ?? hint ?? 'Correct the statement; get_schema shows the tables and their columns.',
    data: { sqlstate: code },
  })
}

function hintFor(code: string, query: string): string | undefined {
  if (code === '42601' && query.includes('?'))
    return 'PostgreSQL’s placeholders are $1, $2, …; ? is an operator there.'
  if (code === '42P18') return 'Say what type the parameter has, as in $1::int.'
  return undefined
}

function notSingle(): WeirError {
  return new WeirError('SQL_NOT_SINGLE', 'The query holds more than one statement.', {
    hint: 'Send one statement per query; execute_transaction takes several as a list.',
  })
}

/** A statement that moves data over the connection, past the answer and its bounds. */
export function copyForbidden(): WeirError {
  return new WeirError('SQL_FORBIDDEN', 'The statement copies data past the answer of the tool.', {
    hint: 'Use INSERT and SELECT in place of COPY.',
  })
}

function conflict(message: string): WeirError {
  return new WeirError('SQL_CONFLICT', `The transaction met another one: ${message}.`, {
    hint: 'Send the same transaction again.',
  })
}

function toBrokenError({ fault, cause }: SessionBroken, alias: string): WeirError {
  const why = fault === undefined ? '' : `: ${fault.message}`
  return unavailable(alias, `broke off, and the statement was not completed${why}`, { cause })
}

function tooLarge({ bytes }: MessageTooLarge): WeirError {
  return new WeirError('SQL_ERROR', `One row alone takes ${bytes} bytes, more than Weir takes.`, {
    hint: 'Select fewer columns, or a part of the large ones with substr().',
  })
}

/** Why no session could be opened. Says the server's own words, never the address or the password. */
export function toOpenError(thrown: unknown, alias: string): WeirError {
  if (thrown instanceof WeirError) return thrown
  const { code } = thrown as { code?: unknown }
  if (isServerFault(thrown)) {
    const hint = String(code).startsWith('28') || String(code).startsWith('3D') ? loginHint : undefined
    return unavailable(alias, `refused the login: ${thrown.message}`, {
      sent: false,
      cause: thrown,
      ...(hint && { hint }),
    })
  }
  const said = typeof code === 'string' ? code : (thrown as Error).message
  const hint = tlsHint(said)
  return unavailable(alias, `could not be reached: ${said}`, {
    sent: false,
    cause: thrown,
    ...(hint && { hint }),
  })
}

const loginHint = 'Ask the operator to check the user, password and database in its `url`.'

function tlsHint(said: string): string | undefined {
  if (said.includes('does not support SSL')) {
    return 'Ask the operator to switch TLS on at the server or, where the network between is trusted, off with `tls: false`.'
  }
  if (said.includes('ALTNAME')) {
    return 'Ask the operator to set `tls.serverName` to the name in the server’s certificate.'
  }
  if (/CERT|SIGNATURE|SELF_SIGNED/.test(said)) {
    return 'Ask the operator to set `tls.ca` to the authority that signed the server’s certificate.'
  }
  return undefined
}
