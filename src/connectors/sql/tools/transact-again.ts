import { setTimeout as wait } from 'node:timers/promises'
import { systemClock } from '../../../core/clock.ts'
import { WeirError } from '../../../core/error.ts'
import type { Database, Patience, Statement, TransactionResult, TransactOptions } from '../dialect.ts'

const attemptsMax = 3
const firstPauseMs = 20

/**
 * Runs a transaction, and again where it collided with another one (B-34): it changed nothing then, whatever its statements
 * are, so that running it again is safe. Three times at most, after growing pauses, and only while the caller waits.
 */
export async function transactAgain(
  database: Database,
  statements: readonly Statement[],
  options: TransactOptions,
  patience: Patience,
): Promise<{ readonly result: TransactionResult; readonly attempts: number }> {
  for (let attempts = 1; ; attempts++) {
    try {
      return { result: await database.transact(statements, options, patience), attempts }
    } catch (thrown) {
      if (!(thrown instanceof WeirError) || thrown.code !== 'SQL_CONFLICT' || attempts === attemptsMax)
        throw thrown
      // Those that collided must not meet again at the same moment.
      const pauseMs = firstPauseMs * 2 ** attempts * (0.5 + Math.random() / 2)
      if (systemClock.monotonicMs() + pauseMs >= patience.deadlineMs) throw thrown
      await pause(pauseMs, patience.signal)
    }
  }
}

async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(durationMs, undefined, { signal })
  } catch {
    throw signal.reason
  }
}
