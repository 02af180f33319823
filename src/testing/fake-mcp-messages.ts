import type { ServerResponse } from 'node:http'
import { isObject } from '../core/parse-json.ts'
import { type Params, type RequestId, readMessage } from '../wire/json-rpc.ts'

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

/** A request or notification as far as a fake server reads it. */
export interface Body {
  readonly id?: RequestId
  readonly method: string
  readonly params: Params
}

/** Undefined for what is no JSON, or answers something. */
export function readBody(bytes: Buffer): Body | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    if (isObject(value) && !('method' in value)) return { method: '', params: value }
    const message = readMessage(value)
    return message.kind === 'response' ? undefined : message
  } catch {
    return undefined
  }
}
