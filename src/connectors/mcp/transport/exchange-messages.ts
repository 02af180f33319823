import { systemClock } from '../../../core/clock.ts'
import { WeirError } from '../../../core/error.ts'
import type { EgressRequest, EgressResponse, EgressTarget, ResponseHead } from '../../../egress/egress.ts'
import type { JsonRpcResponse } from '../../../wire/json-rpc.ts'
import type { AnswerStream } from './answer-stream.ts'

/** What came back for one HTTP request. */
export type Exchanged =
  /** A whole body that is no event stream. */
  | { readonly kind: 'body'; readonly answer: EgressResponse }
  /** The answer, out of an event stream that may still be open. */
  | { readonly kind: 'streamed'; readonly response: JsonRpcResponse; readonly head: ResponseHead }
  /** An event stream that ended without the answer; `error` says how, unless it ended in order. */
  | { readonly kind: 'cut'; readonly stream: AnswerStream; readonly error?: unknown }

/** How long a stream may stay open after its answer, before its socket is closed under it. */
const lingerMs = 1_000

/**
 * Sends one request and resolves as soon as its answer is there, which on an event stream may be long before
 * the stream's end. Rejects where no event stream began.
 */
export function exchangeMessages(
  target: EgressTarget,
  request: EgressRequest,
  openStream: (onAnswer: (response: JsonRpcResponse) => void) => AnswerStream,
): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    let stream: AnswerStream | undefined
    let linger: { cancel(): void } | undefined
    const ended = target.request({
      ...request,
      onHead: (head, body) => {
        if (!isEventStream(head)) return undefined
        stream = openStream((response) => {
          resolve({ kind: 'streamed', response, head })
          linger ??= systemClock.setTimer(() => body.abort(lingered()), lingerMs)
        })
        return stream.push
      },
    })
    ended.then(
      (answer) => {
        linger?.cancel()
        resolve(stream === undefined ? { kind: 'body', answer } : { kind: 'cut', stream })
      },
      (error: unknown) => {
        linger?.cancel()
        if (stream !== undefined && isBreak(error)) resolve({ kind: 'cut', stream, error })
        else reject(error)
      },
    )
  })
}

function isEventStream({ status, headers }: ResponseHead): boolean {
  const type = headers['content-type']
  return status === 200 && typeof type === 'string' && /^text\/event-stream\b/i.test(type)
}

function isBreak(error: unknown): boolean {
  return (
    error instanceof WeirError && (error.code === 'UPSTREAM_UNREACHABLE' || error.code === 'UPSTREAM_TIMEOUT')
  )
}

function lingered(): WeirError {
  return new WeirError('UPSTREAM_PROTOCOL', 'The MCP server left its event stream open after the answer.')
}
