import { type Clock, systemClock } from '../../core/clock.ts'
import { type Connection, type Connector, defineConnector } from '../../core/connector.ts'
import type { Tool } from '../../core/tool.ts'
import type { Egress } from '../../egress/egress.ts'
import type { Api } from './api.ts'
import { createApiBatchRequest } from './api-batch-request.ts'
import { type Apis, openApis } from './apis.ts'
import { type HttpConfig, httpConfig } from './http-config.ts'
import { createHttpRequest } from './http-request.ts'
import { createHttpRequestPages } from './pages/http-request-pages.ts'

/** What the connector is built with. */
export interface HttpConnectorParts {
  readonly egress: Egress
  /** The machine's own by default. */
  readonly clock?: Clock
}

/** The connector for named HTTP APIs (D0-030). Each has its own credential, which goes below its base URL only. */
export function createHttpConnector(parts: HttpConnectorParts): Connector<HttpConfig> {
  const { egress, clock = systemClock } = parts
  return defineConnector({
    type: 'http',
    summary: 'Requests to named HTTP APIs, whose credentials stay with Weir.',
    config: httpConfig,
    async open(config, { name }): Promise<Connection> {
      const apis = openApis(config.apis, { egress, clock, connection: name })
      const targets = createTools(apis, clock)
      return {
        targets: () => targets,
        check: (signal) => apis.check(signal),
        close: () => apis.close(),
      }
    },
  })
}

/** Those for any API first, then those that single APIs add to them. */
function createTools(apis: Apis, clock: Clock): readonly Tool[] {
  const general = [
    createHttpRequest(apis),
    createApiBatchRequest(apis, clock),
    createHttpRequestPages(apis, clock),
  ]
  return [...general, ...apis.list().flatMap(createApiTools)]
}

/** What one API offers beyond requests of any kind: a line for each way to describe its tools. */
function createApiTools(_api: Api): readonly Tool[] {
  return []
}
