import { randomUUID } from 'node:crypto'
import { WeirError } from '../../core/error.ts'
import { isObject } from '../../core/parse-json.ts'
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
import { type GcsClient, isObjectMissing } from './gcs-client.ts'

/** A page of a thousand long names takes about that; an error or one object's metadata never. */
const pageBytesMax = 8 * 1024 * 1024

/** Google's objects, by the JSON API. */
export class GcsStore implements ObjectStore {
  readonly #client: GcsClient
  readonly #objectBytesMax: number

  constructor(client: GcsClient, objectBytesMax: number) {
    this.#client = client
    this.#objectBytesMax = objectBytesMax
  }

  async list({ container }: ObjectPlace, page: PageRequest, context: Abortable): Promise<ObjectPage> {
    const query = {
      prefix: page.prefix,
      maxResults: String(page.limit),
      pageToken: page.continuation,
      fields: 'items(name),nextPageToken',
    }
    const request = { path: `/storage/v1/b/${container}/o`, query, responseBytesMax: pageBytesMax }
    const { items, nextPageToken } = await this.#client.sendForJson(request, context)
    const keys = (Array.isArray(items) ? items : []).map((item: unknown) =>
      String(isObject(item) && item['name']),
    )
    return { keys, continuation: typeof nextPageToken === 'string' ? nextPageToken : undefined }
  }

  /** In two requests, since Google says media or metadata; the second is for the very generation of the first. */
  async get(place: ObjectPlace, key: string, context: Abortable): Promise<StoredObject> {
    const path = renderPath(place, key)
    const fields = 'size,generation,contentType,updated,metadata'
    const about = await this.#client.sendForJson(
      { path, query: { fields }, responseBytesMax: pageBytesMax },
      context,
    )
    const { size, generation, contentType, updated, metadata } = about
    // One that was stored compressed grows on the way; egress counts what it reads.
    if (Number(size) > this.#objectBytesMax) throw tooLarge()
    const query = { alt: 'media', generation: typeof generation === 'string' ? generation : undefined }
    const request = { path, query, responseBytesMax: Math.max(this.#objectBytesMax, 64 * 1024) }
    const { body } = await this.#client.send(request, context)
    return {
      body,
      mediaType: typeof contentType === 'string' ? contentType : undefined,
      lastModified: typeof updated === 'string' ? new Date(updated) : undefined,
      metadata: isObject(metadata) ? (metadata as Readonly<Record<string, string>>) : undefined,
    }
  }

  async put({ container }: ObjectPlace, name: string, object: NewObject, context: Abortable): Promise<void> {
    refuseDotParts([name])
    const { body, mediaType: contentType, metadata } = object
    const boundary = `weir-${randomUUID()}`
    const request = {
      method: 'POST',
      path: `/upload/storage/v1/b/${container}/o`,
      query: { uploadType: 'multipart', fields: 'name' },
      contentType: `multipart/related; boundary=${boundary}`,
      body: Buffer.concat([
        Buffer.from(
          `--${boundary}\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n${JSON.stringify({ name, contentType, metadata })}\r\n--${boundary}\r\ncontent-type: ${contentType}\r\n\r\n`,
        ),
        body,
        Buffer.from(`\r\n--${boundary}--\r\n`),
      ]),
      responseBytesMax: pageBytesMax,
    }
    await this.#client.sendForJson(request, context)
  }

  async delete(place: ObjectPlace, key: string, context: Abortable): Promise<void> {
    const request = { method: 'DELETE', path: renderPath(place, key), responseBytesMax: pageBytesMax }
    try {
      await this.#client.send(request, context)
    } catch (thrown) {
      if (!isObjectMissing(thrown)) throw thrown
    }
  }
}

function renderPath({ container }: ObjectPlace, key: string): string {
  // Slashes are escaped, so that only a key that is nothing but dots could change the path.
  refuseDotParts([key])
  return `/storage/v1/b/${container}/o/${encodeURIComponent(key)}`
}

/** What is said of it stands where all clouds' reads end. */
function tooLarge(): WeirError {
  return new WeirError('RESPONSE_TOO_LARGE', 'The object is larger than may be read.', {
    data: { sent: true },
  })
}
