import type { Logger } from '../../../core/logger.ts'
import { pause } from '../pause.ts'

const pauseMs = { first: 1_000, last: 30_000 }
/** A stream that lived this long was a good one: the next may be opened soon. */
const goodStreamMs = 10_000

/** What is watched, and whom a gap concerns. */
export interface WatchOptions {
  /** Waits on the server's news until they end. */
  readonly listen: (signal: AbortSignal) => Promise<'ended' | 'unsupported'>
  /** Called after each gap, in which news may have been missed. */
  readonly onGap: () => void
  readonly log: Logger
  /** Ends the watch. */
  readonly signal: AbortSignal
  readonly random?: () => number
}

/** Keeps a stream of news open: opened again after growing, scattered pauses, until the server says it has none. */
export async function watchChanges({
  listen,
  onGap,
  log,
  signal,
  random = Math.random,
}: WatchOptions): Promise<void> {
  let failures = 0
  while (!signal.aborted) {
    const start = performance.now()
    try {
      if ((await listen(signal)) === 'unsupported') return
    } catch (error) {
      if (signal.aborted) return
      log.debug({ error }, 'The stream of news from the MCP server broke.')
    }
    failures = performance.now() - start >= goodStreamMs ? 0 : failures + 1
    const longest = Math.min(pauseMs.last, pauseMs.first * 2 ** Math.min(failures, 10))
    try {
      await pause(longest * (0.5 + random() / 2), signal)
    } catch {
      return
    }
    onGap()
  }
}
