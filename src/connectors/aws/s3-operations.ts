import type { ListObjectsV2CommandOutput, S3 } from '@aws-sdk/client-s3'
import type { Tool } from '../../core/tool.ts'
import type { Abortable, ObjectPlace, ObjectStore } from '../shared/cloud/object-store.ts'
import { createObjectTool } from '../shared/cloud/object-tool.ts'
import type { AwsClients } from './aws-clients.ts'
import type { AwsConfig } from './aws-config.ts'
import { createRegionField } from './tool-fields.ts'

/** The tool `s3_operations` (D0-052 to D0-055). */
export function createS3Operations(
  clients: AwsClients,
  config: AwsConfig,
  s3: NonNullable<AwsConfig['s3']>,
): Tool {
  return createObjectTool({
    name: 's3_operations',
    title: 'S3 objects',
    description: 'Works with objects in Amazon S3. Operations:',
    store: createS3Store(clients, config.region),
    limits: s3,
    containerKind: 'bucket',
    // An ARN would choose host and region by itself.
    containerPattern: /^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/,
    metadataPattern: /^[A-Za-z0-9-]{1,100}$/,
    containers: s3.buckets,
    configPrefix: 's3.',
    region: createRegionField(config.region),
  })
}

type Request<T> = (client: S3, options: { readonly abortSignal: AbortSignal }) => Promise<T>

function createS3Store(clients: AwsClients, ownRegion: string): ObjectStore {
  const send = <T>({ region = ownRegion }: ObjectPlace, context: Abortable, request: Request<T>) =>
    clients.send('s3', region, context, request)
  return {
    async list(place, { prefix, limit, continuation }, context) {
      const request = {
        Bucket: place.container,
        MaxKeys: limit,
        // Keys may hold characters that XML cannot.
        EncodingType: 'url' as const,
        ...(prefix === undefined ? {} : { Prefix: prefix }),
        ...(continuation === undefined ? {} : { ContinuationToken: continuation }),
      }
      const page = await send(place, context, (client, options) => client.listObjectsV2(request, options))
      return { keys: readKeys(page), continuation: page.NextContinuationToken }
    },
    get: (place, key, context) =>
      send(place, context, async (client, options) => {
        const answer = await client.getObject({ Bucket: place.container, Key: key }, options)
        return {
          body: Buffer.from((await answer.Body?.transformToByteArray()) ?? []),
          mediaType: answer.ContentType,
          lastModified: answer.LastModified,
          metadata: answer.Metadata,
        }
      }),
    async put(place, key, { body, mediaType, metadata }, context) {
      const extra = metadata === undefined ? {} : { Metadata: metadata }
      const request = { Bucket: place.container, Key: key, Body: body, ContentType: mediaType, ...extra }
      await send(place, context, (client, options) => client.putObject(request, options))
    },
    async delete(place, key, context) {
      const request = { Bucket: place.container, Key: key }
      await send(place, context, (client, options) => client.deleteObject(request, options))
    },
  }
}

function readKeys({ Contents = [], EncodingType }: ListObjectsV2CommandOutput): string[] {
  const keys = Contents.flatMap(({ Key }) => (Key === undefined ? [] : [Key]))
  return EncodingType === 'url' ? keys.map((key) => decodeURIComponent(key.replaceAll('+', ' '))) : keys
}
