import { expect, it } from 'vitest'
import { WeirError } from '../../../core/error.ts'
import type { Database, TransactionResult } from '../dialect.ts'
import { transactAgain } from './transact-again.ts'

const done: TransactionResult = { results: [{ rowcount: 1 }], execution_time_ms: 1 }
const conflict = () => new WeirError('SQL_CONFLICT', 'It collided.')
const patience = (signal = new AbortController().signal, deadlineMs = Number.POSITIVE_INFINITY) => ({
  signal,
  deadlineMs,
})

/** A database that answers as it is told, one word a call; real collisions are shown with the servers that have them. */
function answering(...words: (Error | 'done')[]) {
  let calls = 0
  const transact = async () => {
    const word = words[calls++]
    if (word === 'done') return done
    throw word
  }
  return { database: { transact } as unknown as Database, calls: () => calls }
}

const run = (database: Database, given = patience()) => transactAgain(database, [], { bytesMax: 1 }, given)

it('B-34: a transaction that collided is run again, three times at most', async () => {
  const lucky = answering(conflict(), conflict(), 'done')
  expect(await run(lucky.database)).toEqual({ result: done, attempts: 3 })
  const unlucky = answering(conflict(), conflict(), conflict(), 'done')
  await expect(run(unlucky.database)).rejects.toMatchObject({ code: 'SQL_CONFLICT' })
  expect(unlucky.calls()).toBe(3)
})

it('R2: nothing else is run again, an unknown outcome least of all', async () => {
  for (const code of ['OUTCOME_UNKNOWN', 'SQL_ERROR', 'DATABASE_UNAVAILABLE'] as const) {
    const { database, calls } = answering(new WeirError(code, 'No.'), 'done')
    await expect(run(database)).rejects.toMatchObject({ code })
    expect(calls()).toBe(1)
  }
})

it('waits no longer than the caller does', async () => {
  const late = answering(conflict(), 'done')
  await expect(run(late.database, patience(undefined, performance.now() + 1))).rejects.toMatchObject({
    code: 'SQL_CONFLICT',
  })
  const gone = new AbortController()
  const reason = new WeirError('CANCELLED', 'The caller left.')
  const left = answering(conflict(), 'done')
  const running = run(left.database, patience(gone.signal))
  gone.abort(reason)
  await expect(running).rejects.toBe(reason)
  expect(left.calls()).toBe(1)
})
