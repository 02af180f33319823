import { isObject } from '../../../core/parse-json.ts'
import type { EgressResponse } from '../../../egress/egress.ts'
import type { JsonRpcMessage, JsonRpcResponse } from '../../../wire/json-rpc.ts'
import { protocolError, statusError } from '../upstream-error.ts'
import { parseMessage } from './parse-message.ts'

/** The response to one request, out of a body that is no event stream. Throws UPSTREAM_AUTH, UPSTREAM_PROTOCOL and what the status stands for. */
export function readHttpAnswer(id: number, { status, headers, body }: EgressResponse): JsonRpcResponse {
  if (status === 401 || status === 403) throw statusError(status)
  if (status !== 200) return readRefusal(id, status, body)
  const type = headers['content-type']
  if (typeof type !== 'string' || !/^application\/json\b/i.test(type)) {
    throw protocolError(`The MCP server answered with content of type ${JSON.stringify(type ?? null)}.`)
  }
  const message = parseMessage(body.toString('utf8'))
  if (!answers(message, id)) throw protocolError('The MCP server answered another request than it was asked.')
  return message
}

/** A status other than 200 may still carry an error that says more than the status does. */
function readRefusal(id: number, status: number, body: Buffer): JsonRpcResponse {
  if (status < 400) throw protocolError(`The MCP server answered a request with HTTP status ${status}.`)
  let message: JsonRpcMessage
  try {
    message = parseMessage(body.toString('utf8'))
  } catch {
    throw statusError(status)
  }
  if (!answers(message, id) || !('error' in message)) throw statusError(status)
  return message
}

/** An error without an id is taken as this request's: its sender could not read whose it was, and here there is but one. */
function answers(message: JsonRpcMessage, id: number): message is JsonRpcResponse {
  return (
    message.kind === 'response' && (message.id === id || (message.id === undefined && 'error' in message))
  )
}

/**
 * Whether a refusal means that the server no longer knows the session. The protocol says 404; many servers built on the
 * official SDK say 400 with an error that names the session and no request.
 */
export function isSessionRefusal(session: string | undefined, { status, body }: EgressResponse): boolean {
  if (session === undefined) return false
  if (status === 404) return true
  if (status !== 400) return false
  try {
    const refusal: unknown = JSON.parse(body.toString('utf8'))
    if (!isObject(refusal) || !isObject(refusal['error']) || typeof refusal['id'] === 'number') return false
    return /session|not initialized/i.test(String(refusal['error']['message']))
  } catch {
    return false
  }
}
