import { WeirError } from '../core/error.ts'
import { isObject } from '../core/parse-json.ts'

/** MCP's request ids: a string or an integer, never null. */
export type RequestId = string | number

/** A message's `params`: in MCP always an object. */
export type Params = Record<string, unknown>

/** A message that wants an answer. */
export interface JsonRpcRequest {
  readonly kind: 'request'
  readonly id: RequestId
  readonly method: string
  readonly params: Params
}

/** A message that wants none. */
export interface JsonRpcNotification {
  readonly kind: 'notification'
  readonly method: string
  readonly params: Params
}

/** The `error` member of a response. */
export interface JsonRpcError {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

/** The answer to a request: a result or an error. An error that could not be matched has no id. */
export type JsonRpcResponse =
  | { readonly kind: 'response'; readonly id: RequestId; readonly result: Record<string, unknown> }
  | { readonly kind: 'response'; readonly id: RequestId | undefined; readonly error: JsonRpcError }

/** Everything that can stand in a body or on a line. */
export type JsonRpcMessage = JsonRpcRequest | JsonRpcNotification | JsonRpcResponse

const noParams: Params = Object.freeze({})

/** Tells what a parsed JSON value is in JSON-RPC 2.0. Throws INVALID_REQUEST; `idOf` still finds its id then. */
export function readMessage(value: unknown): JsonRpcMessage {
  if (!isObject(value)) throw invalid('A JSON-RPC message is an object.')
  if (value['jsonrpc'] !== '2.0') throw invalid('"jsonrpc" must be "2.0".')
  const { method, params = noParams, id } = value
  if (typeof method !== 'string') return readResponse(value)
  if (!isObject(params)) throw invalid('"params" must be an object.')
  if (id === undefined) return { kind: 'notification', method, params }
  if (!isRequestId(id)) throw invalid('"id" must be a string or an integer.')
  return { kind: 'request', id, method, params }
}

function readResponse(value: Record<string, unknown>): JsonRpcResponse {
  const { id, result, error } = value
  if (isObject(error) && Number.isInteger(error['code']) && typeof error['message'] === 'string') {
    const body: JsonRpcError = {
      code: error['code'] as number,
      message: error['message'],
      ...('data' in error ? { data: error['data'] } : {}),
    }
    return { kind: 'response', id: isRequestId(id) ? id : undefined, error: body }
  }
  if (isObject(result) && isRequestId(id)) return { kind: 'response', id, result }
  throw invalid('A message needs a "method", or an "id" with a "result" or an "error".')
}

function invalid(message: string): WeirError {
  return new WeirError('INVALID_REQUEST', message, { hint: 'Send one JSON-RPC 2.0 message.' })
}

function isRequestId(value: unknown): value is RequestId {
  return typeof value === 'string' || (typeof value === 'number' && Number.isInteger(value))
}

/** The id of a message too malformed to read, so that even its error finds its sender. */
export function idOf(value: unknown): RequestId | undefined {
  if (!isObject(value)) return undefined
  return isRequestId(value['id']) ? value['id'] : undefined
}

/** A JSON text: as a string, or as UTF-8 where it was encoded once for many responses. */
export type JsonText = string | Buffer

/** `result` is the result as JSON, serialised once by whoever made it; the response is of the same kind. */
export function renderResponse(id: RequestId, result: string): string
export function renderResponse(id: RequestId, result: JsonText): JsonText
export function renderResponse(id: RequestId, result: JsonText): JsonText {
  const head = `{"jsonrpc":"2.0","id":${typeof id === 'number' ? id : JSON.stringify(id)},"result":`
  return typeof result === 'string'
    ? `${head}${result}}`
    : Buffer.concat([Buffer.from(head), result, closing])
}

const closing = Buffer.from('}')

/** The text of an error response; without an id where the request's could not be read. */
export function renderErrorResponse(id: RequestId | undefined, error: JsonRpcError): string {
  return JSON.stringify({ jsonrpc: '2.0', ...(id === undefined ? {} : { id }), error })
}

/** The text of a notification; without `params` where they are undefined. */
export function renderNotification(method: string, params: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', method, params })
}

/** The text of a request. */
export function renderRequest(id: RequestId, method: string, params: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params })
}
