/** Milliseconds since a moment of `performance.now()`, to the microsecond: what answers tell as `execution_time_ms`. */
export function elapsedMs(startedMs: number): number {
  return Math.round((performance.now() - startedMs) * 1000) / 1000
}
