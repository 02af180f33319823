import { type Connection, type Connector, defineConnector } from '../../core/connector.ts'
import type { Egress } from '../../egress/egress.ts'
import { type Api, checkApi, openApi } from './api.ts'
import { type HttpConfig, httpConfig } from './http-config.ts'
import { createHttpRequest } from './http-request.ts'

/** The connector for named HTTP APIs (D0-030). Each has its own credential, which goes below its base URL only. */
export function createHttpConnector({ egress }: { readonly egress: Egress }): Connector<HttpConfig> {
  return defineConnector({
    type: 'http',
    summary: 'Requests to named HTTP APIs, whose credentials stay with Weir.',
    config: httpConfig,
    async open(config): Promise<Connection> {
      const apis = openApis(config, egress)
      const targets = [createHttpRequest(apis)]
      return {
        targets: () => targets,
        check: async (signal) => {
          await Promise.all([...apis.values()].map((api) => checkApi(api, signal)))
        },
        close: () => closeApis(apis),
      }
    },
  })
}

/** All of them, or none: what was opened before one failed is closed again. */
function openApis(config: HttpConfig, egress: Egress): ReadonlyMap<string, Api> {
  const apis = new Map<string, Api>()
  try {
    for (const [name, api] of Object.entries(config.apis)) apis.set(name, openApi(name, api, egress))
    return apis
  } catch (thrown) {
    void closeApis(apis)
    throw thrown
  }
}

async function closeApis(apis: ReadonlyMap<string, Api>): Promise<void> {
  await Promise.all([...apis.values()].map((api) => api.client.close()))
}
