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
import { openWebhooks } from './webhooks/open-webhooks.ts'

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
    summary: 'Requests to named HTTP APIs, whose credentials stay with Weir, and webhooks.',
    config: httpConfig,
    async open(config, { name, signal }): Promise<Connection> {
      signal.throwIfAborted()
      const apis = openApis(config.apis, { egress, clock, connection: name })
      const webhooks = openWebhooks(config.webhooks, { egress, clock, connection: name })
      const targets = [...createTools(apis, clock), ...webhooks.tools]
      return {
        targets: () => targets,
        check: (stop) => apis.check(stop),
        close: async () => {
          await Promise.all([apis.close(), webhooks.close()])
        },
      }
    },
  })
}

/** Those for any API first, then those that single APIs add to them. */
function createTools(apis: Apis, clock: Clock): readonly Tool[] {
  if (apis.list().length === 0) return []
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
