import type { ServerResponse } from 'node:http'
import { renderSseMessage, sseHeartbeat } from '../../wire/sse.ts'

/** One response that carries events before it ends. */
export interface EventStream {
  /** Dropped where the client reads too slowly; see `streamBytesMax`. Whether it was sent. */
  notify(messageText: string): boolean
  /** The last message: the answer. Never dropped. */
  end(messageText?: string): void
}

/** Bytes that may wait for one slow reader (R21); beyond it notifications are dropped. */
const streamBytesMax = 1024 * 1024
/** The same for all of them together. */
const allBytesMax = 32 * 1024 * 1024
/** A heartbeat keeps proxies from closing a quiet stream; a stream that drains nothing for `stallMs` is cut (R21). */
const patience = { heartbeatMs: 15_000, stallMs: 30_000 }

/** Every open stream of the process: the memory they share is the process's. */
const openResponses = new Set<ServerResponse>()

/** Begins an event stream on a response that nothing was written to yet. */
export function openEventStream(
  response: ServerResponse,
  headers: Readonly<Record<string, string>> = {},
  { heartbeatMs, stallMs } = patience,
): EventStream {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    ...headers,
  })
  response.flushHeaders()
  cutWhenStalled(response, stallMs)
  openResponses.add(response)
  const heartbeat = setInterval(() => {
    if (response.writableLength === 0) response.write(sseHeartbeat)
  }, heartbeatMs)
  heartbeat.unref()
  const forget = () => {
    clearInterval(heartbeat)
    openResponses.delete(response)
  }
  response.once('close', forget)
  return {
    notify(messageText) {
      if (response.writableEnded || !hasRoom(response, messageText.length)) return false
      // As bytes: a text that waits is kept twice, by its stream and as the copy that the socket writes from.
      const frame = Buffer.from(renderSseMessage(messageText))
      if (!hasRoom(response, frame.length)) return false
      response.write(frame)
      return true
    },
    end(messageText) {
      if (response.writableEnded) return
      clearInterval(heartbeat)
      response.end(messageText === undefined ? undefined : renderSseMessage(messageText))
    },
  }
}

/** Destroys the socket once nothing went out for so long, whatever waits; a finished response takes the limit off again. */
export function cutWhenStalled(response: ServerResponse, stallMs = patience.stallMs): void {
  response.setTimeout(stallMs)
}

function hasRoom(response: ServerResponse, bytes: number): boolean {
  const waiting = response.writableLength
  if (waiting + bytes > streamBytesMax) return false
  if (waiting === 0) return true
  let all = bytes
  for (const one of openResponses) all += one.writableLength
  return all <= allBytesMax
}
