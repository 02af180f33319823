import type { Quota, Verdict } from './quota.ts'

/** Where tokens are taken: in this process, at once, or where several processes share them. */
export interface Limiter {
  /** A token of each of the buckets, or of none. Never rejects. */
  take(quotas: readonly Quota[]): Verdict | Promise<Verdict>
}
