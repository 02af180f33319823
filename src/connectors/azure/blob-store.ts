import type { BlobServiceClient } from '@azure/storage-blob'
import type { EgressClient } from '../../egress/egress.ts'
import { abandonOn } from '../shared/abandon-on.ts'
import type {
  Abortable,
  NewObject,
  ObjectPage,
  ObjectPlace,
  ObjectStore,
  PageRequest,
  StoredObject,
} from '../shared/cloud/object-store.ts'
import { refuseDotParts } from '../shared/cloud/refuse-dot-parts.ts'
import type { BlobAccess } from './blob-access.ts'
import { createEgressHttpClient } from './egress-http-client.ts'
import { explainAzureError } from './explain-azure-error.ts'

const timeoutMs = 30_000
/** A page of a thousand long names takes about that. */
const pageBytesMax = 8 * 1024 * 1024

/** Azure's blobs, by the SDK, which is loaded when first needed. */
export class BlobStore implements ObjectStore {
  readonly #access: BlobAccess
  readonly #client: EgressClient
  readonly #responseBytesMax: number
  readonly #secrets: readonly string[]
  #service: Promise<BlobServiceClient> | undefined

  constructor(access: BlobAccess, client: EgressClient, objectBytesMax: number) {
    this.#access = access
    this.#client = client
    this.#responseBytesMax = Math.max(objectBytesMax, pageBytesMax)
    this.#secrets = listSecrets(access)
  }

  list({ container }: ObjectPlace, page: PageRequest, context: Abortable): Promise<ObjectPage> {
    const { prefix, limit: maxPageSize, continuation: continuationToken } = page
    return this.#send(context, async (service, options) => {
      const blobs = service
        .getContainerClient(container)
        .listBlobsFlat({ ...options, ...(prefix === undefined ? {} : { prefix }) })
      const settings = { maxPageSize, ...(continuationToken === undefined ? {} : { continuationToken }) }
      for await (const { segment, continuationToken: next } of blobs.byPage(settings)) {
        return { keys: segment.blobItems.map(({ name }) => name), continuation: next || undefined }
      }
      return { keys: [] }
    })
  }

  get({ container }: ObjectPlace, key: string, context: Abortable): Promise<StoredObject> {
    return this.#send(context, async (service, options) => {
      const blob = findBlob(service, container, key)
      const answer = await blob.download(undefined, undefined, { ...options, maxRetryRequests: 0 })
      return {
        body: await readAll(answer.readableStreamBody),
        mediaType: answer.contentType,
        lastModified: answer.lastModified,
        metadata: answer.metadata,
      }
    })
  }

  put({ container }: ObjectPlace, key: string, object: NewObject, context: Abortable): Promise<void> {
    const { body, mediaType, metadata } = object
    return this.#send(context, async (service, options) => {
      await findBlob(service, container, key).upload(body, body.length, {
        ...options,
        blobHTTPHeaders: { blobContentType: mediaType },
        ...(metadata === undefined ? {} : { metadata: { ...metadata } }),
      })
    })
  }

  delete({ container }: ObjectPlace, key: string, context: Abortable): Promise<void> {
    return this.#send(context, async (service, options) => {
      await findBlob(service, container, key).deleteIfExists(options)
    })
  }

  /** Rejects with the reason of the signal as soon as that aborts, whatever the SDK is about. */
  async #send<T>(
    { signal }: Abortable,
    request: (service: BlobServiceClient, options: { readonly abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted()
    const service = await this.#load()
    try {
      return await abandonOn(signal, request(service, { abortSignal: signal }))
    } catch (thrown) {
      signal.throwIfAborted()
      throw explainAzureError(thrown, this.#secrets)
    }
  }

  #load(): Promise<BlobServiceClient> {
    this.#service ??= this.#open().catch((thrown) => {
      // What could not be loaded is tried again with the next call.
      this.#service = undefined
      throw thrown
    })
    return this.#service
  }

  async #open(): Promise<BlobServiceClient> {
    const { AnonymousCredential, BlobServiceClient, StorageSharedKeyCredential } = await import(
      '@azure/storage-blob'
    )
    const { endpoint, accountName, accountKey, sas } = this.#access
    const credential =
      accountKey === undefined
        ? new AnonymousCredential()
        : new StorageSharedKeyCredential(accountName, accountKey)
    return new BlobServiceClient(sas === undefined ? endpoint : `${endpoint}?${sas}`, credential, {
      httpClient: createEgressHttpClient(this.#client, {
        timeoutMs,
        responseBytesMax: this.#responseBytesMax,
      }),
      retryOptions: { maxTries: 1 },
    })
  }
}

function findBlob(service: BlobServiceClient, container: string, key: string) {
  // Azure takes either slash for the other.
  refuseDotParts(key.split(/[\\/]/))
  return service.getContainerClient(container).getBlockBlobClient(key)
}

async function readAll(stream: NodeJS.ReadableStream | undefined): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream ?? []) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

/** A signature as it stands in the URL, and as it is meant. */
function listSecrets({ accountKey, sas }: BlobAccess): readonly string[] {
  const signature = sas === undefined ? undefined : new URLSearchParams(sas).get('sig')
  const raw = sas === undefined ? undefined : /(?:^|&)sig=([^&]*)/.exec(sas)?.[1]
  return [accountKey, sas, raw, signature].filter(
    (value) => value !== undefined && value !== null && value !== '',
  ) as string[]
}
