import { type Clock, systemClock } from '../../core/clock.ts'
import { type Connection, type Connector, defineConnector } from '../../core/connector.ts'
import type { Egress } from '../../egress/egress.ts'
import { openApis } from './apis.ts'
import { type HttpConfig, httpConfig } from './http-config.ts'
import { createOwnTools } from './own-tools.ts'
import type { CompileSchema } from './typed/model.ts'
import { openWebhooks } from './webhooks/open-webhooks.ts'

/** What the connector is built with. */
export interface HttpConnectorParts {
  readonly egress: Egress
  readonly compileSchema: CompileSchema
  /** The machine's own by default. */
  readonly clock?: Clock
}

/** The connector for named HTTP APIs (D0-030). Each has its own credential, which goes below its base URL only. */
export function createHttpConnector(parts: HttpConnectorParts): Connector<HttpConfig> {
  const { egress, compileSchema, clock = systemClock } = parts
  return defineConnector({
    type: 'http',
    summary: 'Requests to named HTTP APIs, whose credentials stay with Weir, and webhooks.',
    config: httpConfig,
    async open(config, { name, signal }): Promise<Connection> {
      signal.throwIfAborted()
      const apis = openApis(config.apis, { egress, clock, connection: name })
      const webhooks = openWebhooks(config.webhooks, { egress, clock, connection: name })
      const close = async () => {
        await Promise.all([apis.close(), webhooks.close()])
      }
      try {
        const targets = createOwnTools(apis, webhooks.tools, { clock, compileSchema })
        return { targets: () => targets, check: (stop) => apis.check(stop), close }
      } catch (thrown) {
        await close()
        throw thrown
      }
    },
  })
}
