import { type Clock, systemClock } from '../../core/clock.ts'
import { type Connection, type Connector, defineConnector } from '../../core/connector.ts'
import type { Tool } from '../../core/tool.ts'
import type { Egress } from '../../egress/egress.ts'
import { createApiBatchRequest } from './api-batch-request.ts'
import { type Apis, openApis } from './apis.ts'
import { type HttpConfig, httpConfig } from './http-config.ts'
import { createHttpRequest } from './http-request.ts'
import { LiveDocuments } from './openapi/live-documents.ts'
import { refuseWithoutBaseUrl } from './openapi/refuse-without-base-url.ts'
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
    async open(config, { name, baseDir, log, signal }): Promise<Connection> {
      signal.throwIfAborted()
      const shared = { egress, clock, connection: name }
      await refuseWithoutBaseUrl(config.apis, { ...shared, baseDir }, signal)
      const apis = openApis(config.apis, shared)
      const webhooks = openWebhooks(config.webhooks, shared)
      const own = [...createTools(apis, clock), ...webhooks.tools]
      const taken = new Set(own.map((tool) => tool.name))
      const documents = new LiveDocuments(apis.list(), { ...shared, baseDir, log, taken })
      const close = async () => {
        await Promise.all([documents.close(), apis.close(), webhooks.close()])
      }
      try {
        await documents.open(signal)
      } catch (thrown) {
        await close()
        throw thrown
      }
      return {
        targets: joinTools(own, documents),
        onChange: (listener) => documents.onChange(listener),
        ...(documents.isEmpty ? {} : { refresh: (stop: AbortSignal) => documents.refresh(stop) }),
        check: async (stop) => {
          await Promise.all([apis.check(stop), documents.check(stop)])
        },
        close,
      }
    },
  })
}

/** Those of the connection itself, then those of the APIs' documents. The same array until something changes. */
function joinTools(own: readonly Tool[], documents: LiveDocuments): () => readonly Tool[] {
  let described: readonly Tool[] | undefined
  let all = own
  return () => {
    if (described === documents.tools) return all
    described = documents.tools
    all = [...own, ...described]
    return all
  }
}

/** The tools for any API. */
function createTools(apis: Apis, clock: Clock): readonly Tool[] {
  if (apis.list().length === 0) return []
  return [createHttpRequest(apis), createApiBatchRequest(apis, clock), createHttpRequestPages(apis, clock)]
}
