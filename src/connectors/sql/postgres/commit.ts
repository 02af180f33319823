import { systemClock } from '../../../core/clock.ts'
import { WeirError } from '../../../core/error.ts'
import { outcomeUnknown, saysUnchanged } from '../server/server-error.ts'
import { toStatementError } from './pg-failure.ts'
import { type PgSession, SessionBroken } from './pg-session.ts'

const commitTimeoutMs = 5000

/**
 * Commits. Once it was sent nothing stops it any more: OUTCOME_UNKNOWN says that the server did not tell in time, or
 * not before the connection broke. A constraint that is checked only now undoes everything, and is an SQL_ERROR.
 */
export async function commit(session: PgSession, alias: string): Promise<void> {
  const startedMs = performance.now()
  const wasUsable = session.isUsable
  const timer = systemClock.setTimer(() => session.cutOff(), commitTimeoutMs)
  try {
    const { tags } = await session.protect(session.script('COMMIT'))
    if (tags[0] !== 'COMMIT') throw undone('The transaction had failed, and the database undid it.')
  } catch (thrown) {
    if (thrown instanceof SessionBroken && wasUsable) throw outcomeUnknown(alias, thrown)
    const error = toStatementError(thrown, { alias, query: '', startedMs })
    throw error instanceof WeirError ? saysUnchanged(error, thrown) : error
  } finally {
    timer.cancel()
  }
}

function undone(message: string): WeirError {
  return new WeirError('SQL_ERROR', message)
}
