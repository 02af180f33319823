import type { ServerResponse } from 'node:http'
import { renderSseMessage, sseHeartbeat } from '../../wire/sse.ts'

/** One response that carries events before it ends. */
export interface EventStream {
  /** Dropped where the client reads too slowly and the message can be spared; see `streamBytesMax`. */
  notify(messageText: string): void
  /** The last message: the answer. Never dropped. */
  end(messageText?: string): void
}

/** Bytes that may wait for a slow reader (R21); beyond it notifications are dropped. */
const streamBytesMax = 1024 * 1024
/** Keeps proxies from closing a quiet stream. */
const heartbeatMs = 15_000

/** Begins an event stream on a response that nothing was written to yet. */
export function openEventStream(
  response: ServerResponse,
  headers: Readonly<Record<string, string>> = {},
): EventStream {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    ...headers,
  })
  response.flushHeaders()
  const heartbeat = setInterval(() => write(sseHeartbeat), heartbeatMs)
  heartbeat.unref()
  response.once('close', () => clearInterval(heartbeat))
  const write = (text: string) => {
    if (response.writableEnded || response.writableLength > streamBytesMax) return
    response.write(text)
  }
  return {
    notify: (messageText) => write(renderSseMessage(messageText)),
    end(messageText) {
      if (response.writableEnded) return
      clearInterval(heartbeat)
      response.end(messageText === undefined ? undefined : renderSseMessage(messageText))
    },
  }
}
