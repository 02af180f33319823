import type { ServerResponse } from 'node:http'
import type { Caller } from '../../core/caller.ts'
import { Cancellation } from '../../core/cancellation.ts'
import type { Catalog, Entry, View } from '../../core/catalog.ts'
import { toWeirError, WeirError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import { mayUse } from '../../core/permission.ts'
import { toJsonSchema } from '../../core/schema.ts'
import { readTraceparent } from '../../core/trace.ts'
import { renderJsonRpcError } from '../../wire/errors.ts'
import {
  checkParamHeaders,
  type Headers,
  headerNames,
  type ParamHeader,
  readParamHeaders,
} from '../../wire/headers.ts'
import {
  idOf,
  type JsonRpcMessage,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type JsonText,
  readMessage,
  renderErrorResponse,
  renderResponse,
} from '../../wire/json-rpc.ts'
import type { Implementation, RequestMeta, Revision } from '../../wire/model.ts'
import { type EventStream, openEventStream } from './event-stream.ts'
import type { Answer, Exchange } from './exchange.ts'
import { identifyRevision, versionInBody } from './identify.ts'
import { answerInitialize } from './initialize.ts'
import type { ClientQuestions } from './questions/client-questions.ts'
import { renderRpcError } from './rendering/render-rpc-error.ts'
import type { Session, Sessions } from './sessions.ts'
import type { Subscriptions } from './subscriptions/subscriptions.ts'

/** What answering over HTTP needs of the rest of Weir. */
export interface HttpParts {
  readonly catalog: Catalog
  readonly sessions: Sessions
  readonly subscriptions: Subscriptions
  readonly questions: ClientQuestions
  readonly answer: Answer
  readonly server: Implementation
  readonly instructions: string
  readonly log: Logger
}

/** One HTTP request. */
export interface Visit {
  readonly caller: Caller
  readonly headers: Headers
  readonly view: View
  readonly response: ServerResponse
  /** Takes the response away from the HTTP framework, before an event stream begins on it. */
  readonly hijack: () => void
  readonly accept: { readonly json: boolean; readonly stream: boolean }
}

/** What to send: a JSON text; nothing (`undefined`, a 202); or it was streamed already. */
export type HttpAnswer =
  | { readonly status: number; readonly text: JsonText; readonly session?: string }
  | 'streamed'
  | undefined

/** Messages in one body (R20). */
const batchMax = 100

/** Answers one message. Throws a WeirError for what is refused before any method runs. */
export async function answerMessage(
  parts: HttpParts,
  visit: Visit,
  message: JsonRpcMessage,
): Promise<HttpAnswer> {
  if (message.kind === 'response') {
    // Only a session was asked anything; from anyone else an answer belongs to no question.
    if (findSession(parts, visit) !== undefined) parts.questions.take(sessionOf(visit)!, message)
    return undefined
  }
  const { method, params } = message
  if (message.kind === 'request' && method === 'initialize' && versionInBody(params) === undefined) {
    const handshake = answerInitialize(message, parts.server, visit.view, parts.instructions)
    const session = parts.sessions.create(handshake.revision, handshake.clientCapabilities, visit.caller)
    return { status: 200, text: renderResponse(message.id, handshake.text), session }
  }
  const revision = identifyRevision(visit.headers, method, params, message.kind === 'request')
  const session = revision.era === 'legacy' ? findSession(parts, visit) : undefined
  if (message.kind === 'notification') {
    takeNotification(message, session)
    return undefined
  }
  return answerRequest(parts, visit, message, session?.revision ?? revision, session)
}

function findSession({ sessions }: HttpParts, visit: Visit): Session | undefined {
  const id = sessionOf(visit)
  return id === undefined ? undefined : sessions.find(id, visit.caller)
}

function sessionOf({ headers }: Visit): string | undefined {
  const id = headers[headerNames.session]
  return typeof id === 'string' ? id : undefined
}

/** The one notification that asks for something; others are only polite. */
function takeNotification({ method, params }: JsonRpcNotification, session: Session | undefined): void {
  if (method !== 'notifications/cancelled') return
  session?.running.get(params['requestId'] as string | number)?.cancel(clientLeft())
}

function clientLeft(): WeirError {
  return new WeirError('CANCELLED', 'The client cancelled the call.')
}

async function answerRequest(
  parts: HttpParts,
  visit: Visit,
  request: JsonRpcRequest,
  revision: Revision,
  session: Session | undefined,
): Promise<HttpAnswer> {
  if (request.method === 'subscriptions/listen' && revision.era === 'modern')
    return listen(parts, visit, request)
  const meta = withTrace(revision.readMeta(request.params), visit.headers['traceparent'])
  const cancellation = new Cancellation()
  const { response } = visit
  response.once('close', () => {
    if (!response.writableFinished) cancellation.cancel(clientLeft())
  })
  let stream: EventStream | undefined
  // The answer stays plain JSON unless something is said before it.
  const openStream = () => {
    if (stream === undefined) {
      visit.hijack()
      stream = openEventStream(response)
    }
    return stream
  }
  const canAsk = session !== undefined && revision.era === 'legacy' && visit.accept.stream
  let isAnswered = false
  const exchange: Exchange = {
    request,
    revision,
    meta,
    caller: visit.caller,
    view: visit.view,
    cancellation,
    session,
    notify: visit.accept.stream
      ? (text) => {
          // A tool may talk on after its call has ended; its response is somebody else's by then.
          if (!isAnswered && cancellation.reason === undefined) openStream().notify(text)
        }
      : undefined,
    ask: canAsk
      ? (question, stop) => {
          const send = (text: string) => !response.destroyed && openStream().notify(text)
          return parts.questions.ask({ session: sessionOf(visit)!, send }, question, stop)
        }
      : undefined,
    checkInput: revision.era === 'modern' ? (entry, input) => checkParams(entry, visit, input) : undefined,
  }
  session?.running.set(request.id, cancellation)
  const { status, text } = await answerSafely(parts, exchange)
  isAnswered = true
  if (session?.running.get(request.id) === cancellation) session.running.delete(request.id)
  if (stream === undefined) return { status, text }
  stream.end(String(text))
  return 'streamed'
}

/** What a message says of its trace counts before what its request does: a proxy between may know of the request alone. */
function withTrace(meta: RequestMeta, header: unknown): RequestMeta {
  if (header === undefined || meta.forward?.['traceparent'] !== undefined) return meta
  const traceparent = readTraceparent(header)
  return traceparent === undefined ? meta : { ...meta, forward: { ...meta.forward, traceparent } }
}

/** A refusal from a method is an answer too, and may have to go down a stream that has begun. */
async function answerSafely(
  parts: HttpParts,
  exchange: Exchange,
): Promise<{ status: number; text: JsonText }> {
  const { id } = exchange.request
  try {
    return { status: 200, text: renderResponse(id, await parts.answer(exchange)) }
  } catch (thrown) {
    const error = toWeirError(thrown)
    if (error.code === 'INTERNAL') parts.log.error({ error: String(error.cause) }, 'A request failed.')
    return {
      status: statusOf(error, exchange.revision),
      text: renderErrorResponse(id, renderRpcError(error, exchange.revision.era)),
    }
  }
}

/**
 * Legacy clients take any status but 200 for a broken transport, and a 404 for a lost session. Modern ones are
 * promised a 404 for an unknown method, so nothing else may be one. What was understood, and failed behind Weir, is
 * no fault of the transport either.
 */
function statusOf({ code, spec }: WeirError, { era }: Revision): number {
  if (era === 'legacy' || (spec.mcp === 'isError' && code !== 'INTERNAL')) return 200
  return spec.http === 404 && code !== 'METHOD_NOT_FOUND' ? 400 : spec.http
}

async function listen(parts: HttpParts, visit: Visit, request: JsonRpcRequest): Promise<HttpAnswer> {
  if (!visit.accept.stream) {
    throw new WeirError('NOT_ACCEPTABLE', 'subscriptions/listen answers with an event stream only.', {
      hint: 'Send Accept: application/json, text/event-stream.',
    })
  }
  await parts.subscriptions.prepare(request, visit.view)
  // It may have left meanwhile; nobody would tell us again.
  if (visit.response.destroyed) return 'streamed'
  let stream: EventStream | undefined
  const subscription = parts.subscriptions.listen(request, visit.view, {
    notify(text) {
      if (stream === undefined) {
        visit.hijack()
        stream = openEventStream(visit.response)
      }
      stream.notify(text)
    },
    end: (answerText) => stream?.end(answerText),
  })
  visit.response.once('close', () => subscription.dispose())
  return 'streamed'
}

const noParams: readonly ParamHeader[] = []
const paramHeaders = new WeakMap<Entry, readonly ParamHeader[]>()

/** Reads a tool's annotations once; a tool whose annotations are broken promises no headers. */
function checkParams(entry: Entry, { headers, caller }: Visit, input: unknown): void {
  let params = paramHeaders.get(entry)
  if (params === undefined) {
    try {
      params = readParamHeaders(toJsonSchema(entry.target.input))
    } catch {
      params = noParams
    }
    paramHeaders.set(entry, params)
  }
  // Who may not call it learns nothing of its schema; the call is refused by its own stage.
  if (params.length > 0 && mayUse(caller, entry)) checkParamHeaders(headers, params, input)
}

/** Several messages in one body, as revision 2025-03-26 has them; `undefined` where none asks for an answer. */
export async function answerBatch(
  parts: HttpParts,
  visit: Visit,
  values: readonly unknown[],
): Promise<string | undefined> {
  if (values.length === 0) throw new WeirError('INVALID_REQUEST', 'The batch is empty.')
  if (values.length > batchMax) {
    throw new WeirError('BATCH_TOO_LARGE', `The batch holds ${values.length} messages.`, {
      hint: `Send at most ${batchMax} at once.`,
    })
  }
  const revision = findSession(parts, visit)?.revision ?? identifyRevision(visit.headers, '', {}, false)
  if (!revision.batches) {
    throw new WeirError('INVALID_REQUEST', `Revision ${revision.version} has no batches.`, {
      hint: 'Send one message a request.',
    })
  }
  const alone: Visit = { ...visit, accept: { json: true, stream: false } }
  // Each message listens for the client's leaving; a batch is bounded, so this is no leak.
  visit.response.setMaxListeners(batchMax + 10)
  const answers = await Promise.all(values.map((value) => answerBatched(parts, alone, value)))
  const texts = answers.filter((text) => text !== undefined)
  return texts.length === 0 ? undefined : `[${texts.join(',')}]`
}

async function answerBatched(parts: HttpParts, visit: Visit, value: unknown): Promise<string | undefined> {
  try {
    const message = readMessage(value)
    if (message.kind === 'request' && message.method === 'initialize') {
      throw new WeirError('INVALID_REQUEST', 'initialize must come alone.')
    }
    const answer = await answerMessage(parts, visit, message)
    return typeof answer === 'object' ? String(answer.text) : undefined
  } catch (thrown) {
    return renderErrorResponse(idOf(value), renderJsonRpcError(toWeirError(thrown)))
  }
}
