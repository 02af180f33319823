import type { Clock } from '../core/clock.ts'
import { WeirError } from '../core/error.ts'
import type { IdempotencyKey, IdempotencyStore } from '../core/idempotency.ts'
import type { Database } from './database.ts'
import { bytesMax, requireSize } from './require-size.ts'

/** D2-098. */
const keptMs = 24 * 60 * 60_000
/** Keys in all; the store's file has its own bound beside this one. */
const keptMax = 100_000
/** Old keys are taken out, and the rest is counted, once in so many reservations. */
const sweepEvery = 256
const keyColumns = ['tenant', 'subject', 'key'] as const

/** Keys in the table `idempotency_keys`. */
export function createIdempotencyStore({ query }: Database, clock: Clock): IdempotencyStore {
  let untilSweep = 0
  let isFull = false
  const sweep = async (): Promise<void> => {
    if (untilSweep > 0 && !isFull) {
      untilSweep -= 1
      return
    }
    await query.deleteFrom('idempotency_keys').where('expires_at', '<=', clock.now()).execute()
    const counted = query.selectFrom('idempotency_keys').select((eb) => eb.fn.countAll().as('count'))
    isFull = Number((await counted.executeTakeFirstOrThrow()).count) >= keptMax
    untilSweep = sweepEvery
  }
  return {
    async reserve(given, { tool, digest }, { token, lostAt }) {
      const key = keyOf(given)
      requireSize('What names an idempotency key', bytesMax.key, [...Object.values(key), tool])
      await sweep()
      if (isFull) throw full()
      const now = clock.now()
      const fresh = {
        tool,
        digest,
        token,
        state: 'running',
        outcome: null,
        lost_at: lostAt,
        expires_at: now + keptMs,
      }
      const { numInsertedOrUpdatedRows = 0n } = await query
        .insertInto('idempotency_keys')
        .values({ ...key, ...fresh })
        // A day later the key is anybody's again.
        .onConflict((old) =>
          old.columns(keyColumns).doUpdateSet(fresh).where('idempotency_keys.expires_at', '<=', now),
        )
        .executeTakeFirstOrThrow()
      if (numInsertedOrUpdatedRows > 0n) return undefined
      const row = await query
        .selectFrom('idempotency_keys')
        .selectAll()
        .where((eb) => eb.and(key))
        .executeTakeFirst()
      if (row === undefined) throw released()
      const { outcome } = row
      return {
        ...{ tool: row.tool, digest: row.digest, lostAt: Number(row.lost_at) },
        state: row.state === 'done' ? 'done' : 'running',
        ...(outcome === null ? {} : { outcome }),
      }
    },
    async finish(given, token, outcome) {
      await query
        .updateTable('idempotency_keys')
        .set({ state: 'done', outcome: outcome ?? null })
        .where((eb) => eb.and({ ...keyOf(given), token, state: 'running' }))
        .execute()
    },
    async release(given, token) {
      await query
        .deleteFrom('idempotency_keys')
        .where((eb) => eb.and({ ...keyOf(given), token, state: 'running' }))
        .execute()
    },
  }
}

/** The key's own fields: a caller's object may hold more. */
function keyOf({ tenant, subject, key }: IdempotencyKey): IdempotencyKey {
  return { tenant, subject, key }
}

function full(): WeirError {
  return new WeirError('OVERLOADED', `The store keeps ${keptMax} idempotency keys, and takes no more.`, {
    hint: 'Keys are forgotten a day after their call; send calls that may run twice without one.',
  })
}

/** The call that had it was refused at this very moment. */
function released(): WeirError {
  return new WeirError('IDEMPOTENCY_IN_FLIGHT', 'The call under this idempotency key has just ended.', {
    hint: 'Send it again.',
    data: { retryAfterMs: 1_000 },
  })
}
