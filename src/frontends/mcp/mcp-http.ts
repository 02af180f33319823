import type { FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify'
import { everything } from '../../core/caller.ts'
import type { View } from '../../core/catalog.ts'
import { WeirError } from '../../core/error.ts'
import { parseJson } from '../../core/parse-json.ts'
import { renderJsonRpcError } from '../../wire/errors.ts'
import { headerNames } from '../../wire/headers.ts'
import { idOf, type JsonText, type RequestId, readMessage, renderErrorResponse } from '../../wire/json-rpc.ts'
import { readHttpError } from '../shared/http-server.ts'
import { narrowView } from '../shared/narrow-view.ts'
import { rateHeaders } from '../shared/rate-headers.ts'
import { callerOf } from '../shared/require-caller.ts'
import { answerBatch, answerMessage, type HttpAnswer, type HttpParts, type Visit } from './answer-http.ts'
import { cutWhenStalled, type EventStream, openEventStream } from './event-stream.ts'
import { sendTogether } from './send-together.ts'
import type { Session } from './sessions.ts'

/** MCP over Streamable HTTP, both eras on one URL: `/mcp` serves everything, `/mcp/{name}` one connection. */
export function mcpHttp(server: FastifyInstance, parts: HttpParts): void {
  const route: RouteShorthandOptions = { config: { access: 'caller' }, errorHandler: sendRpcError }
  for (const path of ['/mcp', '/mcp/:name']) {
    // Not an async handler: the framework would watch the response of each one for its end.
    server.post(path, route, (request, reply) => {
      handlePost(parts, request, reply).catch((thrown) => sendRpcError(thrown, request, reply))
    })
    server.get(path, route, (request, reply) => handleGet(parts, request, reply))
    server.delete(path, route, (request, reply) => handleDelete(parts, request, reply))
  }

  function sendRpcError(thrown: unknown, _request: FastifyRequest, reply: FastifyReply): void {
    const error = readHttpError(thrown, parts.log)
    reply.headers(rateHeaders(error))
    sendText(reply, error.spec.http, renderErrorResponse(undefined, renderJsonRpcError(error)))
  }
}

const jsonType = 'application/json'
const streamType = 'text/event-stream'

/** What no socket takes at once may wait for a reader that never reads. */
const largeTextChars = 64 * 1024

function sendText(reply: FastifyReply, status: number, text: JsonText): void {
  if (text.length > largeTextChars) cutWhenStalled(reply.raw)
  sendTogether(reply, status, text)
}

async function handlePost(parts: HttpParts, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const view = findView(parts, request)
  const accept = readAccept(request.headers.accept)
  const visit: Visit = {
    caller: callerOf(request),
    headers: request.headers,
    view,
    response: reply.raw,
    hijack: () => reply.hijack(),
    accept,
  }
  // Without a Content-Type there may be no body at all.
  const value = parseJson((request.body as string | undefined) ?? '')
  // An event stream keeps its request for as long as it is open, and must not keep the text of it too.
  request.body = undefined
  if (Array.isArray(value)) {
    const text = await answerBatch(parts, visit, value)
    if (text === undefined) reply.code(202).send()
    else sendText(reply, 200, text)
    return
  }
  let id: RequestId | undefined
  try {
    const message = readMessage(value)
    id = message.kind === 'request' ? message.id : undefined
    sendAnswer(reply, accept, await answerMessage(parts, visit, message))
  } catch (thrown) {
    const error = readHttpError(thrown, parts.log)
    reply.headers(rateHeaders(error))
    sendText(reply, error.spec.http, renderErrorResponse(id ?? idOf(value), renderJsonRpcError(error)))
  }
}

function sendAnswer(reply: FastifyReply, accept: Visit['accept'], answer: HttpAnswer): void {
  if (answer === 'streamed') return
  if (answer === undefined) {
    reply.code(202).send()
    return
  }
  if (answer.session !== undefined) reply.header(headerNames.session, answer.session)
  if (accept.json || answer.status !== 200) sendText(reply, answer.status, answer.text)
  else streamAnswer(reply, answer)
}

/** For a client that takes nothing but event streams: one with a single event. */
function streamAnswer(reply: FastifyReply, { text, session }: { text: JsonText; session?: string }): void {
  reply.hijack()
  const headers = session === undefined ? {} : { [headerNames.session]: session }
  openEventStream(reply.raw, headers).end(String(text))
}

/** An old-era session's stream of changes. The new era has `subscriptions/listen` instead. */
function handleGet(parts: HttpParts, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { id, session, view } = findSession(parts, request, reply)
  if (!readAccept(request.headers.accept).stream) {
    throw new WeirError('NOT_ACCEPTABLE', 'A GET here answers with an event stream only.', {
      hint: `Send Accept: ${streamType}.`,
    })
  }
  let stream: EventStream | undefined
  // Refused before it begins, where there are too many; begun by the first thing that is said, which may come at once.
  const open = (): EventStream => {
    if (stream === undefined) {
      reply.hijack()
      stream = openEventStream(reply.raw, { [headerNames.session]: id })
    }
    return stream
  }
  const end = () => open().end()
  const subscription = parts.subscriptions.follow(session, view, {
    notify: (text) => open().notify(text),
    end,
  })
  open()
  session.streams.add(end)
  reply.raw.once('close', () => {
    session.streams.delete(end)
    subscription.dispose()
  })
  return reply
}

function handleDelete(parts: HttpParts, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { id } = findSession(parts, request, reply)
  parts.sessions.end(id, callerOf(request))
  parts.subscriptions.sessions.end(id)
  return reply.code(204).send()
}

function findSession(
  parts: HttpParts,
  request: FastifyRequest,
  reply: FastifyReply,
): { id: string; session: Session; view: View } {
  const view = findView(parts, request)
  const id = request.headers[headerNames.session]
  if (typeof id !== 'string') {
    reply.header('allow', 'POST')
    throw new WeirError(
      'METHOD_NOT_ALLOWED',
      `${request.method} needs a session of revision 2025-11-25 or older.`,
      {
        hint: 'Send messages by POST.',
      },
    )
  }
  return { id, session: parts.sessions.find(id, callerOf(request)), view }
}

function findView({ catalog }: HttpParts, request: FastifyRequest): View {
  const { name } = request.params as { name?: string }
  const caller = callerOf(request)
  const view = catalog.view(name ?? caller.grants?.toolset)
  if (view !== undefined) return narrowView(view, caller)
  // Names of connections are told to who may use something of them.
  const usable = new Set(
    narrowView(catalog.view()!, caller)
      .tools.list()
      .map(({ entry }) => entry.connection),
  )
  const isTold = (connection: string) => caller.grants === everything || usable.has(connection)
  const known = catalog
    .connections()
    .flatMap((connection) => (isTold(connection.name) ? [connection.name] : []))
  throw new WeirError('ROUTE_NOT_FOUND', `There is no connection ${JSON.stringify(name)}.`, {
    hint: known.length === 0 ? 'There is no connection for you.' : `There are: ${known.join(', ')}.`,
  })
}

/** What the client can read. Both eras ask for both types; a client that names neither gets nothing. */
function readAccept(accept: string | undefined): Visit['accept'] {
  if (accept === undefined || accept.includes('*/*'))
    return { json: true, stream: accept?.includes(streamType) ?? false }
  const json = accept.includes(jsonType) || accept.includes('application/*')
  const stream = accept.includes(streamType) || accept.includes('text/*')
  if (json || stream) return { json, stream }
  throw new WeirError('NOT_ACCEPTABLE', `Nothing here is of type ${JSON.stringify(accept)}.`, {
    hint: `Send Accept: ${jsonType}, ${streamType}.`,
  })
}
