import { WeirError } from '../core/error.ts'

/** One Server-Sent Event as MCP uses them: the data, and an id where the sender numbers them. */
export interface SseEvent {
  readonly event: string
  readonly data: string
  readonly id?: string
  /** How long the sender asks to wait before the stream is opened again, in milliseconds. */
  readonly retryMs?: number
}

/** A comment line: keeps intermediaries from closing a quiet stream. */
export const sseHeartbeat = ':\n\n'

/** One JSON message as an event. JSON text holds no line break, so one data line always does. */
export function renderSseMessage(jsonText: string): string {
  return `event: message\ndata: ${jsonText}\n\n`
}

/** Reads a stream of events, chunk by chunk, as the WHATWG describes it. */
export interface SseDecoder {
  /** Gives each whole event to the listener. Throws UPSTREAM_PROTOCOL once one event grows over the limit. */
  push(chunk: Uint8Array): void
}

/** A decoder whose events hold at most so many characters. */
export function createSseDecoder(eventBytesMax: number, onEvent: (event: SseEvent) => void): SseDecoder {
  const utf8 = new TextDecoder()
  // Chunks of an unfinished line are joined once: scanning it again with each chunk would be quadratic.
  let pending: string[] = []
  let pendingSize = 0
  let data: string[] = []
  let size = 0
  let event = 'message'
  let id: string | undefined
  let retryMs: number | undefined

  const finish = () => {
    if (data.length > 0) {
      const more = { ...(id === undefined ? {} : { id }), ...(retryMs === undefined ? {} : { retryMs }) }
      onEvent({ event, data: data.join('\n'), ...more })
    }
    data = []
    size = 0
    event = 'message'
  }
  const takeLine = (line: string) => {
    if (line === '') return finish()
    const colon = line.indexOf(':')
    if (colon === 0) return
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'data') {
      // The line itself counts too: empty ones must not add up to anything unbounded.
      size += value.length + 1
      data.push(value)
    } else if (field === 'event') event = value
    else if (field === 'id') id = value
    else if (field === 'retry' && /^\d{1,9}$/.test(value)) retryMs = Number(value)
  }

  return {
    push(chunk) {
      const text = utf8.decode(chunk, { stream: true })
      pending.push(text)
      pendingSize += text.length
      if (text.includes('\n') || text.includes('\r')) {
        // A lone CR at the end may be half of a CRLF, so it waits for the next chunk.
        const lines = pending.join('').split(/\r\n|\n|\r(?!$)/)
        const rest = lines.pop() ?? ''
        pending = [rest]
        pendingSize = rest.length
        for (const line of lines) takeLine(line)
      }
      if (size + pendingSize > eventBytesMax) {
        throw new WeirError(
          'UPSTREAM_PROTOCOL',
          `One event of the stream is larger than ${eventBytesMax} bytes.`,
          {
            hint: 'Ask the server for less at once.',
          },
        )
      }
    },
  }
}
