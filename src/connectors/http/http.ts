import { type Clock, systemClock } from '../../core/clock.ts'
import { type Connection, type Connector, defineConnector } from '../../core/connector.ts'
import type { Tool } from '../../core/tool.ts'
import type { Egress } from '../../egress/egress.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { openApis } from './apis.ts'
import { type HttpConfig, httpConfig } from './http-config.ts'
import { LiveDocuments } from './openapi/live-documents.ts'
import { refuseWithoutBaseUrl } from './openapi/refuse-without-base-url.ts'
import { createOwnTools } from './own-tools.ts'
import type { CompileSchema } from './typed/model.ts'
import { openWebhooks } from './webhooks/open-webhooks.ts'

/** What the connector is built with. */
export interface HttpConnectorParts {
  readonly egress: Egress
  readonly compileSchema: CompileSchema
  readonly metrics?: Metrics
  /** The machine's own by default. */
  readonly clock?: Clock
}

/** The connector for named HTTP APIs (D0-030). Each has its own credential, which goes below its base URL only. */
export function createHttpConnector(parts: HttpConnectorParts): Connector<HttpConfig> {
  const { egress, compileSchema, metrics, clock = systemClock } = parts
  return defineConnector({
    type: 'http',
    summary: 'Requests to named HTTP APIs, whose credentials stay with Weir, and webhooks.',
    config: httpConfig,
    async open(config, { name, baseDir, log, signal }): Promise<Connection> {
      signal.throwIfAborted()
      const shared = { egress, clock, connection: name }
      await refuseWithoutBaseUrl(config.apis, { ...shared, baseDir }, signal)
      const apis = openApis(config.apis, { ...shared, metrics })
      const webhooks = openWebhooks(config.webhooks, shared)
      const documents = new LiveDocuments({ ...shared, baseDir, log })
      const close = async () => {
        await Promise.all([documents.close(), apis.close(), webhooks.close()])
      }
      try {
        const own = createOwnTools(apis, webhooks.tools, { clock, compileSchema })
        await documents.open(apis.list(), new Set(own.map((tool) => tool.name)), signal)
        return {
          targets: joinTools(own, documents),
          ...(documents.isEmpty ? {} : follow(documents)),
          check: async (stop) => {
            await Promise.all([apis.check(stop), documents.check(stop)])
          },
          close,
        }
      } catch (thrown) {
        await close()
        throw thrown
      }
    },
  })
}

/** What a connection whose documents may change has beside all others. */
function follow(documents: LiveDocuments): Pick<Connection, 'onChange' | 'refresh'> {
  return {
    onChange: (listener) => documents.onChange(listener),
    refresh: (signal) => documents.refresh(signal),
  }
}

/** The connection's own, then those of its APIs' documents. The same array until something changes. */
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
