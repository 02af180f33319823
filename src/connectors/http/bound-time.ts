/** The client's coarse timers may be off by as much as this, in either direction. */
const slackMs = 2_000

/**
 * One exact limit on a whole exchange, in the terms of egress. The coarser waits inside it are set only so that their
 * defaults do not end it sooner.
 */
export function boundTime(timeoutMs: number) {
  return {
    totalTimeoutMs: timeoutMs,
    headersTimeoutMs: timeoutMs + slackMs,
    bodyTimeoutMs: timeoutMs + slackMs,
  }
}
