import type { JsonRpcNotification, JsonRpcRequest, JsonRpcResponse } from '../../../wire/json-rpc.ts'
import { createSseDecoder } from '../../../wire/sse.ts'
import { answerBytesMax, parseMessage } from './parse-message.ts'

/** What becomes of the messages, each as it comes; what these throw ends the stream. */
export interface AnswerListener {
  onResponse(response: JsonRpcResponse): void
  onNotification(notification: JsonRpcNotification): void
  onRequest(request: JsonRpcRequest): void
}

/** The messages of one event stream, and where a legacy server would take it up again. */
export interface AnswerStream {
  /** Throws UPSTREAM_PROTOCOL. */
  push(chunk: Buffer): void
  readonly lastEventId: string | undefined
  /** How long the server asks to wait before the stream is taken up again. */
  readonly retryMs: number | undefined
}

/** Decodes the events and sorts the messages in them; one event holds at most 16 MiB (R22). */
export function createAnswerStream(listener: AnswerListener): AnswerStream {
  let lastEventId: string | undefined
  let retryMs: number | undefined
  const decoder = createSseDecoder(answerBytesMax, (event) => {
    lastEventId = event.id ?? lastEventId
    retryMs = event.retryMs ?? retryMs
    // An event without data only tells its id, so that a broken stream can be taken up again.
    if (event.event !== 'message' || event.data === '') return
    const message = parseMessage(event.data)
    if (message.kind === 'response') listener.onResponse(message)
    else if (message.kind === 'notification') listener.onNotification(message)
    else listener.onRequest(message)
  })
  return {
    push: (chunk) => decoder.push(chunk),
    get lastEventId() {
      return lastEventId
    },
    get retryMs() {
      return retryMs
    },
  }
}
