import { type Clock, systemClock } from '../../core/clock.ts'
import { type Connection, type Connector, defineConnector } from '../../core/connector.ts'
import type { Egress } from '../../egress/egress.ts'
import { abandonOn } from '../shared/abandon-on.ts'
import { checkEndpoint } from '../shared/cloud/check-endpoint.ts'
import { CredentialCache } from '../shared/cloud/credential-cache.ts'
import { createObjectTool } from '../shared/cloud/object-tool.ts'
import { GcsClient } from './gcs-client.ts'
import { type GcsConfig, gcsConfig } from './gcs-config.ts'
import { GcsStore } from './gcs-store.ts'
import { createTokenSource } from './token-source.ts'

/** What the connector is made with. */
export interface GcsParts {
  readonly egress: Egress
  readonly clock?: Clock
}

/** The connector for Google Cloud Storage (D0-050). It needs no network to open. */
export function createGcsConnector({ egress, clock = systemClock }: GcsParts): Connector<GcsConfig> {
  return defineConnector({
    type: 'gcs',
    summary: 'Google Cloud Storage: the objects of buckets.',
    config: gcsConfig,
    async open(config, { name, baseDir, signal }): Promise<Connection> {
      signal.throwIfAborted()
      const client = egress.client({ name, allowPrivate: config.allowPrivate })
      const source = createTokenSource(config, { egress, client, baseDir, clock })
      const tokens = new CredentialCache(source, clock)
      const store = new GcsStore(new GcsClient(client, config.endpoint, tokens), config.objectBytesMax)
      const targets = [createGcsOperations(config, store)]
      return {
        targets: () => targets,
        async check(checked) {
          checked.throwIfAborted()
          await checkEndpoint(client, config.endpoint, 'Google Cloud Storage', checked)
          await abandonOn(checked, tokens.get())
        },
        close: () => client.close(),
      }
    },
  })
}

function createGcsOperations(config: GcsConfig, store: GcsStore) {
  return createObjectTool({
    name: 'gcs_operations',
    title: 'Google Cloud Storage objects',
    description: 'Works with objects in Google Cloud Storage. Operations:',
    store,
    limits: config,
    containerKind: 'bucket',
    containerPattern: /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/,
    metadataPattern: /^[A-Za-z0-9_-]{1,100}$/,
    containers: config.buckets,
    configPrefix: '',
  })
}
