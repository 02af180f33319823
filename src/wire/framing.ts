import { WeirError } from '../core/error.ts'

/** Cuts a byte stream into lines: the framing of MCP over stdio. */
export interface LineDecoder {
  /** Gives each whole line, without its end, to the listener; empty lines are passed over. */
  push(chunk: Buffer): void
}

/** Longest line that is read (R22). */
export const lineBytesMax = 10 * 1024 * 1024

/**
 * Throws UPSTREAM_PROTOCOL as soon as a line grows over the limit, holding no more than that many bytes.
 * Chunks of an unfinished line are kept apart and joined once: appending would copy the line again with each chunk.
 */
export function createLineDecoder(onLine: (line: string) => void, bytesMax = lineBytesMax): LineDecoder {
  let pending: Buffer[] = []
  let pendingBytes = 0

  const takeLine = (end: Buffer) => {
    const line = pending.length === 0 ? end : Buffer.concat([...pending, end])
    pending = []
    pendingBytes = 0
    const text = line.toString('utf8').trim()
    if (text !== '') onLine(text)
  }
  const hold = (bytes: number) => {
    if (pendingBytes + bytes <= bytesMax) return
    pending = []
    pendingBytes = 0
    throw new WeirError('UPSTREAM_PROTOCOL', `A line is longer than ${bytesMax} bytes.`, {
      hint: 'Ask for less at once.',
    })
  }

  return {
    push(chunk) {
      let start = 0
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
        hold(end - start)
        takeLine(chunk.subarray(start, end))
        start = end + 1
      }
      hold(chunk.length - start)
      if (start < chunk.length) {
        pending.push(chunk.subarray(start))
        pendingBytes += chunk.length - start
      }
    },
  }
}
