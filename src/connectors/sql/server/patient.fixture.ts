import type { Patience } from '../dialect.ts'

/** For tests: waits as long as it takes, or as long as `signal` says. */
export function patient(
  signal = new AbortController().signal,
  deadlineMs = Number.POSITIVE_INFINITY,
): Patience {
  return { signal, deadlineMs }
}
