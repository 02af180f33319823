import type { ServerResponse } from 'node:http'
import type { RequestId } from '../wire/json-rpc.ts'

/** Begins an event stream; what follows is written to the response event by event. */
export function openEventStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.flushHeaders()
}

/** A whole result as JSON. `resultType` and the like are the caller's to add. */
export function sendResult(response: ServerResponse, id: RequestId, result: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
}

/** A JSON-RPC error; without an id it is about no request in particular. */
export function sendError(
  response: ServerResponse,
  status: number,
  id: RequestId | undefined,
  code: number,
  message: string,
  data?: unknown,
): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ jsonrpc: '2.0', id, error: { code, message, data } }))
}
