import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
} from 'fastify'
import { renderError, toWeirError, WeirError } from '../../core/error.ts'
import type { Door } from '../../core/limit.ts'
import type { Logger } from '../../core/logger.ts'
import { createOriginCheck, type OriginRules } from './check-origin.ts'
import { rateHeaders } from './rate-headers.ts'
import { answerPreflight, isPreflight, shareWithOrigin } from './share-with-origin.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** For what has to answer however busy Weir is, such as its health. */
    readonly isUnlimited?: boolean
  }
}

/** Largest body that is read (R20). */
export const bodyBytesMax = 4 * 1024 * 1024
/** R19: a client that drips its request is cut off. All in milliseconds. */
const patience = { headersMs: 10_000, requestMs: 30_000, checkEveryMs: 1_000 }

/** Whom the server answers, and whether it is about to end. */
export interface HttpRules extends OriginRules {
  /** Told of each request; false once no more are taken: answers ask their clients to use another connection, or server. */
  readonly meet?: (route: string | undefined) => boolean
  /** The refusal of a request while there is too much to do (R11). */
  readonly refuseLoad?: () => WeirError | undefined
}

/**
 * The one HTTP server: every request passes the Host and Origin check before anything else, bodies arrive as text for
 * their frontend to parse once, and every failure answers as JSON, never as HTML.
 */
export function createHttpServer(
  rules: HttpRules,
  log: Logger,
  { slow = patience, door }: { readonly slow?: typeof patience; readonly door?: Door } = {},
): FastifyInstance {
  const server = fastify({
    bodyLimit: bodyBytesMax,
    requestTimeout: slow.requestMs,
    forceCloseConnections: 'idle',
    // What has come is answered: the client could not know.
    return503OnClosing: false,
    http: { headersTimeout: slow.headersMs, connectionsCheckingInterval: slow.checkEveryMs },
    routerOptions: { maxParamLength: 128 },
    exposeHeadRoutes: false,
    frameworkErrors: (thrown, _request, reply) => void sendError(reply, readHttpError(thrown, log)),
  })
  const checkOrigin = createOriginCheck(rules)
  server.addHook('onRequest', (request, reply, done) => {
    const { host, origin, 'content-encoding': encoding } = request.headers
    if (rules.meet?.(request.routeOptions.url) === false) reply.raw.setHeader('connection', 'close')
    try {
      const guest = checkOrigin(host, origin)
      if (guest !== undefined) {
        // On the raw response, which event streams write to as well.
        shareWithOrigin(reply.raw, guest)
        if (isPreflight(request.method, request.headers)) {
          reply.hijack()
          return answerPreflight(reply.raw, request.headers)
        }
      }
      const refusal = isCall(request) ? rules.refuseLoad?.() : undefined
      if (refusal !== undefined) {
        reply.raw.setHeader('retry-after', Math.ceil(Number(refusal.data?.['retryAfterMs']) / 1_000))
        throw refusal
      }
      if (request.routeOptions.config.isUnlimited !== true) door?.enter()
      if (encoding !== undefined && encoding !== 'identity') throw compressed()
      done()
    } catch (refusal) {
      done(refusal as Error)
    }
  })
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) =>
    done(null, body),
  )
  server.setErrorHandler((thrown, _request, reply) => sendError(reply, readHttpError(thrown, log)))
  server.setNotFoundHandler((request, reply) =>
    sendError(
      reply,
      new WeirError('ROUTE_NOT_FOUND', `There is no ${request.method} ${request.url.split('?')[0]}.`, {
        hint: 'MCP is at /mcp, the REST dialect at /mcp/discover and /mcp/execute.',
      }),
    ),
  )
  return server
}

/** Calls come by POST. What asks how Weir is, and what an operator decides meanwhile, are answered under any load. */
function isCall({ method, url }: FastifyRequest): boolean {
  return method === 'POST' && !url.startsWith('/api/admin/')
}

/** A compressed body can be a bomb, and no client of ours sends one (S18). */
function compressed(): WeirError {
  return new WeirError('UNSUPPORTED_MEDIA_TYPE', 'Compressed bodies are not read.', {
    hint: 'Send the body as it is.',
  })
}

/** Every error that can reach an error handler, Fastify's own ones too, as a WeirError. */
export function readHttpError(thrown: unknown, log: Logger): WeirError {
  if (thrown instanceof WeirError) return thrown
  const { code, statusCode } = thrown as Partial<FastifyError>
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new WeirError('BODY_TOO_LARGE', `The body is larger than ${bodyBytesMax} bytes.`, {
      hint: 'Send less in one request.',
    })
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new WeirError('UNSUPPORTED_MEDIA_TYPE', 'The body is not of type application/json.', {
      hint: 'Send Content-Type: application/json.',
    })
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new WeirError('INVALID_REQUEST', 'The HTTP request is malformed.', { cause: thrown })
  }
  const error = toWeirError(thrown)
  log.error({ event: 'http.failed', error: (thrown as Error).stack }, 'A request failed.')
  return error
}

/** An error outside of any dialect: `{ error: { code, message, hint, retryable } }`. */
function sendError(reply: FastifyReply, error: WeirError): FastifyReply {
  return reply
    .code(error.spec.http)
    .headers(rateHeaders(error))
    .send({ error: renderError(error) })
}
