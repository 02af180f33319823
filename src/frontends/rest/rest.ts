import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Executor } from '../../core/call.ts'
import type { Catalog } from '../../core/catalog.ts'
import { renderError, type WeirError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import { parseJson } from '../../core/parse-json.ts'
import type { Authenticate } from '../shared/authenticate.ts'
import { readHttpError } from '../shared/http-server.ts'
import { nextCallId } from '../shared/next-call-id.ts'
import { rateHeaders, renderStanding } from '../shared/rate-headers.ts'
import { findTools, readExecuteRequest } from './read-execute.ts'
import { readDiscoveryQuery, renderDiscovery } from './render-discovery.ts'
import { runTools } from './run-tools.ts'

/** What the REST dialect serves, and as whom. */
export interface RestParts {
  readonly catalog: Catalog
  readonly executor: Executor
  readonly authenticate: Authenticate
  readonly server: { readonly name: string; readonly version: string }
  readonly log: Logger
}

/**
 * The REST dialect (B-120): the same catalog and the same executor under the document's own shapes, snake_case. The
 * HTTP status says whether the request was understood; `successful` says whether the tools did what they were asked.
 */
export function rest(server: FastifyInstance, parts: RestParts): void {
  server.get('/mcp/discover', { errorHandler: sendFailure }, async (request) => {
    parts.authenticate(request)
    return renderDiscovery(parts, readDiscoveryQuery(request.query))
  })
  server.post('/mcp/execute', { errorHandler: sendFailure }, (request, reply) =>
    execute(parts, request, reply),
  )

  function sendFailure(thrown: unknown, _request: FastifyRequest, reply: FastifyReply): void {
    void reply.send(renderFailure(reply, readHttpError(thrown, parts.log), nextCallId()))
  }
}

async function execute(parts: RestParts, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const caller = parts.authenticate(request)
  // A request without a body has no type that would have made it text.
  const body = readExecuteRequest(parseJson(typeof request.body === 'string' ? request.body : ''))
  // B-124: an id is always there; the client's own where it sent one.
  const requestId = body.requestId ?? nextCallId()
  try {
    const found = await findTools(parts.catalog, body.tools)
    const {
      body: answer,
      refusal,
      standing,
    } = await runTools(parts.executor, {
      ...{ requestId, caller, found, response: reply.raw },
    })
    if (standing !== undefined) reply.headers(renderStanding(standing))
    if (refusal !== undefined) reply.code(refusal.spec.http).headers(rateHeaders(refusal))
    return answer
  } catch (thrown) {
    const error = readHttpError(thrown, parts.log)
    // D4-015: clients of this dialect read an unknown tool from the body and take any other status for a broken server.
    if (error.code === 'TOOL_NOT_FOUND') return failureBody(error, requestId)
    return renderFailure(reply, error, requestId)
  }
}

function renderFailure(reply: FastifyReply, error: WeirError, requestId: string): unknown {
  reply.code(error.spec.http).headers(rateHeaders(error))
  return failureBody(error, requestId)
}

/** D4-014, with the typed error beside the text. */
function failureBody(error: WeirError, requestId: string): unknown {
  return { request_id: requestId, successful: false, error: error.message, error_detail: renderError(error) }
}
