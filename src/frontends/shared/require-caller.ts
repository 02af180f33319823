import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '../../core/caller.ts'
import { toWeirError, WeirError } from '../../core/error.ts'
import type { Authenticate } from './authenticate.ts'

/**
 * Who may use a route: everybody (`public`), every caller whom Weir knows (`caller`), or callers with one of Weir's own
 * permissions. A route that declares nothing does not build.
 */
type Access = 'public' | 'caller' | `admin:${string}`

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
  }
  interface FastifyRequest {
    caller: Caller | null
  }
}

/** One route that is served, and who may use it. */
export interface Route {
  readonly method: string
  readonly path: string
  readonly access: string
}

/** How requests are told apart, and what somebody unknown is told to do. */
export interface Door {
  readonly authenticate: Authenticate
  /** Tells the operator by a credential of their own, on Weir's own routes alone; undefined for everybody else. */
  readonly operator?: (request: FastifyRequest) => Promise<Caller | undefined>
  /** The value of `WWW-Authenticate` for a request that was refused. */
  readonly challenge: (request: FastifyRequest) => string
  /** Refuses a caller who comes too often, by throwing. */
  readonly admit?: (caller: Caller) => void
  /** Told of each request that was not let in; must not throw. */
  readonly onRefused?: (error: WeirError) => void
}

/**
 * Finds out who sends each request before anything of it is read (S1). It is added before any route, and holds for
 * every one of them; a path that no route has is answered as such, to everybody. Gives the list of routes, which
 * grows as they are added.
 */
export function requireCaller(
  server: FastifyInstance,
  { authenticate, challenge, onRefused, admit: count, operator = async () => undefined }: Door,
): readonly Route[] {
  const routes: Route[] = []
  server.decorateRequest('caller', null)
  server.addHook('onRoute', ({ method, url, config }) => {
    const access = config?.access
    if (access === undefined) throw new Error(`${method} ${url} does not declare who may use it`)
    for (const one of [method].flat()) routes.push({ method: one, path: url, access })
  })
  server.addHook('onRequest', (request, reply, done) => {
    const { access } = request.routeOptions.config
    if (access === 'public' || request.is404) return done()
    const admit = (caller: Caller) => {
      count?.(caller)
      request.caller = caller
      done(access === 'caller' ? undefined : findRefusal(caller, access))
    }
    const findOperator = async (from: FastifyRequest) => (await operator(from)) ?? authenticate(from)
    const refuse = (thrown: unknown) => {
      const error = describeRefusal(thrown, reply, () => challenge(request))
      onRefused?.(error)
      done(error)
    }
    try {
      const isOwn = access?.startsWith('admin:') === true
      const caller = isOwn ? findOperator(request) : authenticate(request)
      if (caller instanceof Promise) caller.then(admit).catch(refuse)
      else admit(caller)
    } catch (thrown) {
      refuse(thrown)
    }
  })
  return routes
}

/** Who sends this request. There is always somebody where the route is not public. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === null) throw new Error(`nobody was authenticated for ${request.routeOptions.url}`)
  return request.caller
}

function findRefusal({ grants }: Caller, permission: string = 'admin:undeclared'): WeirError | undefined {
  const { isAllowed, rule } = grants?.decide(permission) ?? {
    isAllowed: false,
    rule: 'the caller has no rights',
  }
  if (isAllowed) return undefined
  return new WeirError('PERMISSION_DENIED', `Permission denied: ${permission} (${rule}).`, {
    hint: 'Whoever operates Weir can allow it, in a role of the caller.',
    data: { permission, rule },
  })
}

function describeRefusal(thrown: unknown, reply: FastifyReply, challenge: () => string): WeirError {
  const error = toWeirError(thrown)
  if (error.code === 'UNAUTHENTICATED') void reply.header('www-authenticate', challenge())
  return error
}
