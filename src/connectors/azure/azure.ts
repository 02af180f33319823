import { type Connection, type Connector, defineConnector } from '../../core/connector.ts'
import type { Egress } from '../../egress/egress.ts'
import { checkEndpoint } from '../shared/cloud/check-endpoint.ts'
import { createObjectTool } from '../shared/cloud/object-tool.ts'
import { type AzureConfig, azureConfig } from './azure-config.ts'
import { readBlobAccess } from './blob-access.ts'
import { BlobStore } from './blob-store.ts'

/** The connector for Azure (D0-050). It needs no network to open; the SDK is loaded when first called. */
export function createAzureConnector({ egress }: { readonly egress: Egress }): Connector<AzureConfig> {
  return defineConnector({
    type: 'azure',
    summary: 'Microsoft Azure: blobs of one storage account.',
    config: azureConfig,
    async open(config, { name, signal }): Promise<Connection> {
      signal.throwIfAborted()
      const access = readBlobAccess(config)
      const client = egress.client({ name, allowPrivate: config.allowPrivate })
      const targets = [
        createBlobOperations(config, new BlobStore(access, client, config.blob.objectBytesMax)),
      ]
      return {
        targets: () => targets,
        async check(checked) {
          checked.throwIfAborted()
          await checkEndpoint(client, access.endpoint, 'Azure Blob Storage', checked)
        },
        close: () => client.close(),
      }
    },
  })
}

function createBlobOperations({ blob }: AzureConfig, store: BlobStore) {
  return createObjectTool({
    name: 'blob_operations',
    title: 'Azure blobs',
    description: 'Works with blobs in Azure Blob Storage. Operations:',
    store,
    limits: blob,
    containerKind: 'container',
    containerPattern: /^(?:\$root|\$web|\$logs|[a-z0-9](?:-?[a-z0-9]){2,62})$/,
    // Azure takes C# identifiers, and tells no letters apart by their case.
    metadataPattern: /^[A-Za-z_][A-Za-z0-9_]{0,99}$/,
    containers: blob.containers,
    configPrefix: 'blob.',
  })
}
