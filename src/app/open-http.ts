import type { FastifyInstance } from 'fastify'
import type { OpenCatalog } from '../catalog/catalog.ts'
import type { Config } from '../config/config.ts'
import { systemClock } from '../core/clock.ts'
import { createDoor } from '../execution/limits/door.ts'
import { admin } from '../frontends/admin/admin.ts'
import type { McpFrontend } from '../frontends/mcp/mcp.ts'
import { operations } from '../frontends/operations/operations.ts'
import type { Readiness } from '../frontends/operations/readiness.ts'
import { rest } from '../frontends/rest/rest.ts'
import { createHttpServer } from '../frontends/shared/http-server.ts'
import type { Identity } from '../frontends/shared/identity/identity.ts'
import { createOperatorCheck } from '../frontends/shared/identity/operator.ts'
import { serveResourceMetadata } from '../frontends/shared/identity/protected-resource.ts'
import { type Route, requireCaller } from '../frontends/shared/require-caller.ts'
import { createLoadShedding } from '../frontends/shared/shed-load.ts'
import { type Base, identity } from './base.ts'
import type { Execution } from './open-execution.ts'

/** What is served over HTTP. */
export interface HttpParts {
  readonly catalog: OpenCatalog
  readonly execution: Execution
  readonly callers: Identity
  readonly mcp: McpFrontend
  readonly readiness: Readiness
  /** Takes the configuration file over, or says what that would change; absent where there is none. */
  readonly reload: ((isDryRun: boolean) => Promise<unknown>) | undefined
  /** The operator's own credential; absent where nothing is kept. */
  readonly operatorToken: (() => Promise<string>) | undefined
}

/** The HTTP server with every route of Weir, and the list of them; it does not listen yet. */
export function openHttp(
  { log, metrics }: Base,
  rules: Config['server'],
  { catalog, execution, callers, mcp, readiness, operatorToken, reload }: HttpParts,
): { readonly http: FastifyInstance; readonly routes: readonly Route[] } {
  const { executor, desk } = execution
  const clock = systemClock
  const door = createDoor(rules.rateLimit, clock)
  const { callsMax } = rules
  const load = createLoadShedding({ clock, callsMax, callsInFlight: () => executor.inFlight })
  const http = createHttpServer({ ...rules, meet: readiness.meet, refuseLoad: load.refuse }, log, { door })
  http.addHook('onClose', async () => load.close())
  const operator = createOperatorCheck(operatorToken)
  const routes = requireCaller(http, { ...callers.door, operator, admit: door.admit })
  serveResourceMetadata(http, callers.metadata)
  mcp.serveHttp(http)
  rest(http, { catalog, executor, server: identity, log })
  admin(http, { approvals: desk, reload, log })
  operations(http, { catalog, metrics, clock, readiness })
  return { http, routes }
}
