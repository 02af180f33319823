import type { WeirError } from '../../core/error.ts'
import type { Standing } from '../../core/limit.ts'

/** How a caller stands with its limit (D2-093). The reset is in seconds from now. */
export function renderStanding({ limit, remaining, resetMs }: Standing): Readonly<Record<string, string>> {
  return {
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': String(Math.ceil(resetMs / 1_000)),
  }
}

/** What an HTTP answer says beside an error that a limit caused: when to come again. Nothing for other errors. */
export function rateHeaders({ code, data = {} }: WeirError): Readonly<Record<string, string>> {
  const { retryAfterMs, limit, remaining, resetMs } = data
  if (code !== 'RATE_LIMITED' || typeof retryAfterMs !== 'number') return {}
  const retry = { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1_000))) }
  if (typeof limit !== 'number' || typeof remaining !== 'number' || typeof resetMs !== 'number') return retry
  return { ...retry, ...renderStanding({ limit, remaining, resetMs }) }
}
