import { type Clock, systemClock } from '../../core/clock.ts'
import { type Connector, defineConnector } from '../../core/connector.ts'
import type { Egress } from '../../egress/egress.ts'
import { type RestDialectConfig, restDialectConfig } from './config.ts'
import { createDialectClient } from './dialect-client.ts'
import { readDefinitionFiles } from './read-definition-files.ts'
import { RestDialectConnection } from './rest-dialect-connection.ts'

/** What every connection of this type shares. */
export interface RestDialectOptions {
  readonly egress: Egress
  readonly clock?: Clock
}

/** The connector for servers that speak the REST dialect, which Weir itself serves too. */
export function createRestDialectConnector(options: RestDialectOptions): Connector<RestDialectConfig> {
  const { egress, clock = systemClock } = options
  return defineConnector({
    type: 'rest-dialect',
    summary: 'The tools of a server with `/mcp/discover` and `/mcp/execute`, another Weir among them.',
    config: restDialectConfig,
    isUpstream: true,
    async open(config, { name, baseDir, log, notes, signal }) {
      const fromFiles = await readDefinitionFiles(config.definitions, baseDir)
      const egressClient = egress.client({ name, allowPrivate: config.allowPrivate })
      try {
        const client = createDialectClient(config, egressClient)
        const serverName = config.serverName ?? notes?.['serverName']
        const parts = { name, config, egressClient, client, fromFiles, serverName, clock, log }
        const connection = new RestDialectConnection(parts)
        await connection.open(signal)
        return connection
      } catch (thrown) {
        await egressClient.close()
        throw thrown
      }
    },
  })
}
