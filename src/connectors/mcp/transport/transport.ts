import type { StopSignal } from '../../../core/cancellation.ts'
import type { WeirError } from '../../../core/error.ts'
import type { JsonRpcNotification, JsonRpcRequest, JsonRpcResponse } from '../../../wire/json-rpc.ts'
import type { Revision } from '../../../wire/model.ts'

/** One request on its way to the upstream server. */
export interface OutgoingRequest {
  /** Unique per transport; it is the progress token too, where one is sent. */
  readonly id: number
  readonly method: string
  /** The whole JSON-RPC request, without line breaks. */
  readonly body: string
  /** Headers that this one request adds, name, value, name, value; only HTTP sends them. */
  readonly headers: readonly string[]
  /** Aborts with a WeirError: the request rejects with it at once, and the server is told (R12). */
  readonly signal: StopSignal
  /** Longest silence of an HTTP answer, in milliseconds; 0: none, for streams that stay open. */
  readonly silenceMs: number
  /** Whether a log message without an address may be meant for this request. */
  readonly wantsLog: boolean
  /** Gets the notifications that belong to this request. Must not throw. */
  readonly onNotification?: ((notification: JsonRpcNotification) => void) | undefined
  /** Gets what a legacy server asks on this request's own stream, and answers as `TransportListener.onRequest` does. */
  readonly onRequest: TransportListener['onRequest']
}

const forAll: ReadonlySet<string> = new Set([
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
  'notifications/resources/updated',
  'notifications/elicitation/complete',
])

/** Whether a notification tells of the server itself, or of its own questions, on whichever stream it comes. */
export function isForAll({ method }: JsonRpcNotification): boolean {
  return forAll.has(method)
}

/** What a transport hands to whoever speaks the protocol over it. None of these may throw. */
export interface TransportListener {
  /** A notification that belongs to no single request. */
  onNotification(notification: JsonRpcNotification): void
  /**
   * A request from a legacy server that names none of ours. The text that comes back is sent as the answer; undefined:
   * the answer comes later, by `notify`.
   */
  onRequest(request: JsonRpcRequest): string | undefined
  /** Called once when the transport is of no more use; not after `close()`. Only stdio dies: HTTP has nothing that could. */
  onDeath(cause: WeirError): void
}

/** A way to one upstream server. Requests reject with a WeirError, or with the reason of their signal. */
export interface Transport {
  request(request: OutgoingRequest): Promise<JsonRpcResponse>
  /** Sends a notification, or a late answer. Resolves when it left; a server that refuses it is not an error. */
  notify(body: string): Promise<void>
  /** Tells which revision to speak from now on. `initialize` belongs to none. */
  speak(revision: Revision): void
  /** The session of a legacy HTTP server; changes when a new one is opened. */
  readonly session: string | undefined
  /** Opens the event stream of a legacy HTTP server and resolves with what ended it. Absent on stdio. */
  listen?(signal: AbortSignal): Promise<'ended' | 'unsupported'>
  /** Safe to call twice. */
  close(): Promise<void>
}
