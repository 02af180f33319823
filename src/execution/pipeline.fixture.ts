import { type Clock, systemClock } from '../core/clock.ts'
import { WeirError } from '../core/error.ts'
import type { Stores } from '../core/stores.ts'
import { createApprovalDesk } from './approvals/approval-desk.ts'

/** Stands for any port of a store that nobody can reach. */
const dead = async (): Promise<never> => {
  throw new WeirError('STORE_UNAVAILABLE', 'There is no store here.')
}
export const deadStores: Pick<Stores, 'approvals' | 'idempotency'> = {
  approvals: { open: dead, note: dead, find: dead, list: dead, decide: dead, use: dead, dismiss: dead },
  idempotency: { reserve: dead, finish: dead, release: dead },
}

/** What the stages need beside their clock, for tests that keep nothing. */
export function createPartsWithoutStore(clock: Clock = systemClock) {
  const times = { holdMs: 1_000, expiryMs: 2_000 }
  return {
    desk: createApprovalDesk({ store: deadStores.approvals, clock, onArrival() {}, ...times }),
    idempotency: deadStores.idempotency,
    holdMs: times.holdMs,
    redact: (text: string) => text,
  }
}
