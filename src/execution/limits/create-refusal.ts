import { WeirError } from '../../core/error.ts'
import type { Verdict } from './quota.ts'

const whose = { caller: 'you', tool: 'all its callers', connection: 'its connection', all: 'everybody' }

/** What a caller is told who has used its limit up: when to come again, for people, for programs and for headers. */
export function createRefusal(what: string, { quota, standing, waitMs }: Verdict): WeirError {
  const { limit, per } = quota.rule
  const retryAfterMs = Math.ceil(waitMs)
  return new WeirError('RATE_LIMITED', `${what} is limited to ${limit} for ${whose[per]}.`, {
    hint: `Try again in ${Math.ceil(retryAfterMs / 1_000)} s.`,
    data: { retryAfterMs, ...standing, resetMs: Math.ceil(standing.resetMs) },
  })
}
