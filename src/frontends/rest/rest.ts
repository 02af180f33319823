import type { FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify'
import type { Executor } from '../../core/call.ts'
import type { Catalog } from '../../core/catalog.ts'
import { renderError, type WeirError } from '../../core/error.ts'
import { type ErrorCode, errorCatalogue } from '../../core/error-catalogue.ts'
import type { Logger } from '../../core/logger.ts'
import { parseJson } from '../../core/parse-json.ts'
import { readTraceparent } from '../../core/trace.ts'
import { readHttpError } from '../shared/http-server.ts'
import { nextCallId } from '../shared/next-call-id.ts'
import { rateHeaders, renderStanding } from '../shared/rate-headers.ts'
import { readIdempotencyKey } from '../shared/read-idempotency-key.ts'
import { callerOf } from '../shared/require-caller.ts'
import { findTools, readExecuteRequest } from './read-execute.ts'
import { readDiscoveryQuery, renderDiscovery } from './render-discovery.ts'
import { type RunBody, runTools, type ToolsRun } from './run-tools.ts'

/** What the REST dialect serves, and as whom. */
export interface RestParts {
  readonly catalog: Catalog
  readonly executor: Executor
  readonly server: { readonly name: string; readonly version: string }
  readonly log: Logger
}

/**
 * The REST dialect (B-120): the same catalog and the same executor under the document's own shapes, snake_case. The
 * HTTP status says whether the request was understood; `successful` says whether the tools did what they were asked.
 */
export function rest(server: FastifyInstance, parts: RestParts): void {
  const route: RouteShorthandOptions = { config: { access: 'caller' }, errorHandler: sendFailure }
  server.get('/mcp/discover', route, async (request) => {
    const caller = callerOf(request)
    return renderDiscovery(parts, caller, readDiscoveryQuery(request.query))
  })
  server.post('/mcp/execute', route, (request, reply) => execute(parts, request, reply))

  function sendFailure(thrown: unknown, _request: FastifyRequest, reply: FastifyReply): void {
    void reply.send(renderFailure(reply, readHttpError(thrown, parts.log), nextCallId()))
  }
}

async function execute(parts: RestParts, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const caller = callerOf(request)
  // A request without a body has no type that would have made it text.
  const body = readExecuteRequest(parseJson(typeof request.body === 'string' ? request.body : ''))
  // B-124: an id is always there; the client's own where it sent one.
  const requestId = body.requestId ?? nextCallId()
  try {
    const found = await findTools(parts.catalog, body.tools, caller)
    const { 'idempotency-key': key } = request.headers
    const idempotencyKey = readIdempotencyKey(key, 'The header Idempotency-Key')
    const ran = await runTools(parts.executor, {
      ...{ requestId, caller, found, idempotencyKey, note: body.note },
      isParallel: body.isParallel,
      response: reply.raw,
      meta: readMeta(request),
    })
    const { body: answer, refusal, standing } = ran
    if (standing !== undefined) reply.headers(renderStanding(standing))
    if (refusal !== undefined) reply.code(refusal.spec.http).headers(rateHeaders(refusal))
    else tellRefusal(reply, answer)
    return answer
  } catch (thrown) {
    const error = readHttpError(thrown, parts.log)
    // D4-015: clients of this dialect read an unknown tool from the body and take any other status for a broken server.
    if (error.code === 'TOOL_NOT_FOUND') return failureBody(error, requestId)
    return renderFailure(reply, error, requestId)
  }
}

/** What the request says for the systems behind Weir. */
function readMeta({ headers }: FastifyRequest): ToolsRun['meta'] {
  const traceparent = readTraceparent(headers['traceparent'])
  return traceparent === undefined ? undefined : { traceparent }
}

/** Refusals of the request itself, which clients are told by the status too (B-125, R2). */
const refusals: ReadonlySet<ErrorCode> = new Set([
  'PERMISSION_DENIED',
  'IDEMPOTENCY_IN_FLIGHT',
  'IDEMPOTENCY_MISMATCH',
])

function tellRefusal(reply: FastifyReply, { data }: RunBody): void {
  const refused = data.results.find(({ error_detail: error }) => error && refusals.has(error.code))
  const code = refused?.error_detail?.code
  if (code === undefined) return
  reply.code(errorCatalogue[code].http)
  if (code === 'IDEMPOTENCY_IN_FLIGHT') void reply.header('retry-after', '1')
}

function renderFailure(reply: FastifyReply, error: WeirError, requestId: string): unknown {
  reply.code(error.spec.http).headers(rateHeaders(error))
  return failureBody(error, requestId)
}

/** D4-014, with the typed error beside the text. */
function failureBody(error: WeirError, requestId: string): unknown {
  return { request_id: requestId, successful: false, error: error.message, error_detail: renderError(error) }
}
