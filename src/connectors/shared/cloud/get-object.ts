import { WeirError } from '../../../core/error.ts'
import type { Abortable, ObjectPlace, ObjectStore, StoredObject } from './object-store.ts'
import { renderBody } from './render-body.ts'

/** How much may be read, and what an error says of it. */
export interface ReadLimit {
  readonly bytesMax: number
  /** The config key that raises it. */
  readonly bytesKey: string
  /** What the cloud calls a container. */
  readonly kind: string
}

/** One object as the caller gets it. Rejects with RESPONSE_TOO_LARGE for one beyond the bound. */
export async function getObject(
  store: ObjectStore,
  place: ObjectPlace,
  key: string,
  limit: ReadLimit,
  context: Abortable,
) {
  try {
    const object = await store.get(place, key, context)
    if (object.body.length > limit.bytesMax) throw tooLarge(key, place, limit)
    return renderObject(object)
  } catch (thrown) {
    if (!(thrown instanceof WeirError) || thrown.code !== 'RESPONSE_TOO_LARGE') throw thrown
    throw tooLarge(key, place, limit)
  }
}

function renderObject({ body, mediaType, lastModified, metadata = {} }: StoredObject) {
  return {
    ...renderBody(body, mediaType),
    size: body.length,
    ...(lastModified === undefined ? {} : { last_modified: lastModified.toISOString() }),
    metadata,
  }
}

function tooLarge(key: string, { container }: ObjectPlace, { bytesMax, bytesKey, kind }: ReadLimit) {
  const message = `Object ${key} in ${container} is larger than ${bytesMax} bytes.`
  return new WeirError('RESPONSE_TOO_LARGE', message, {
    hint: `An operator can raise \`${bytesKey}\`.`,
    data: { key, [kind]: container, objectBytesMax: bytesMax, sent: true },
  })
}
